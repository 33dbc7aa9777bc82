"""Tiny models that the tests of the engine share: made once a session, read by all."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.scoring.prm import tiny

torch.set_num_threads(1)  # models are tiny: more threads only wait for each other


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folder of a tiny model of an entry; `seed` 1 for a log ratio's reference. Not to be changed: copy it first."""
    made: dict[tuple[str, int], Path] = {}

    def folder(name: str, seed: int = 0) -> Path:
        if (name, seed) not in made:
            made[name, seed] = tiny.make(name, tmp_path_factory.mktemp(name), seed)
        return made[name, seed]

    return folder
