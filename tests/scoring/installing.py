"""Tiny models as an operator lays them into MODELS_DIR."""

from pathlib import Path

import torch

from tests.scoring.prm import tiny

QWEN, REASON = "qwen2.5-math-prm-7b", "reasoneval-7b"


def install(root: Path, *names: str) -> Path:
    """MODELS_DIR with a tiny model of each entry; `root`, which is returned."""
    torch.set_num_threads(1)  # models are tiny: more threads only wait for each other
    for name in names:
        tiny.make(name, root / name)
    return root
