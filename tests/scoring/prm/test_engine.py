"""The engine gives what reading each solution alone gives, however solutions are laid out, and says what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from scoring.prm import batching, catalogue, engine
from scoring.prm.engine import forward, loading, scoring
from scoring.prm.kept import Kept
from tests.scoring.prm import naive, tiny

TOLERANCE = 1e-5
ENTRIES = catalogue.load()
# One entry of each family, and those whose family differs in backbone, head or mark.
NAMES = [
    "math-shepherd-mistral-7b", "rlhflow-mistral-8b", "skywork-1.5b", "reasoneval-7b", "reasoneval-34b",
    "llemma-prm800k-7b", "mathminos-mistral-7b", "qwen2.5-math-prm-7b", "pure-prm-7b", "trl-qwen2.5-math-1.5b",
    "trl-qwen2-0.5b", "eurus-stage1", "qwen2.5-math-rm-72b",
]  # fmt: skip
VARIANTS = [(name, variant) for name in NAMES for variant in ENTRIES[name].variants]

PROBLEM = "Sue lives where flamingos are. How many of the 13 flamingos that Sue has are white on Sunday?"
BEGINS = ["Step 1. On Friday there are 13 flamingos.", "On Saturday the neighbours take back one third of them."]
SOLUTIONS = [
    (PROBLEM, [*BEGINS, "So $13 - 4 = 9$ is what is left.", "The answer is 9."]),
    (PROBLEM, [*BEGINS, "So $13 + 4 = 17$ is what is left.", "They paint these.\nThat equals 5.", "So 12."]),
    (PROBLEM, [*BEGINS, "So $13 - 4 = 9$ is what is left.", "Therefore 9 is the answer, and of these 2 are white."]),
    (PROBLEM.replace("Sunday", "Monday"), BEGINS),
    ("What is 1 + 1?", ["2. It is 2."]),
    (PROBLEM, BEGINS),
]  # fmt: skip
INPUTS = [(f"s{n}", problem, steps) for n, (problem, steps) in enumerate(SOLUTIONS)]


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of a tiny model of an entry; `seed` 1 for a log ratio's reference."""
    made: dict[tuple[str, int], Path] = {}

    def folder(name: str, seed: int = 0) -> Path:
        if (name, seed) not in made:
            made[name, seed] = tiny.make(name, tmp_path_factory.mktemp(name), seed)
        return made[name, seed]

    return folder


def loaded(folders, name: str, variant: str = "") -> engine.Model:
    spec = ENTRIES[name].variant(variant)
    reference = folders(name, 1) if spec.kind == "log_ratio" else None
    return engine.load(spec, folders(name), "cpu", reference=reference)


def scored(model, inputs=INPUTS, **how) -> dict[str, engine.Scored]:
    found = [one for batch in engine.score(model, inputs, **how) for one in batch]
    assert len({one.key for one in found}) == len(found) == len(inputs)
    return {one.key: one for one in found}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_family_and_variant_is_read_as_one_at_a_time(folders, name, variant):
    model = loaded(folders, name, variant)
    reference = folders(name, 1) if model.spec.kind == "log_ratio" else None
    expected = {
        key: naive.scores(name, variant, folders(name), problem, steps, reference)
        for key, problem, steps in INPUTS
    }
    assert np.std([score for each in expected.values() for score in each["validity"]]) > 1e-4
    for layout in ("padded", "packed", "shared"):
        found = scored(model, layout=layout, token_budget=700)
        for key, _, steps in INPUTS:
            assert found[key].channels.keys() == expected[key].keys()
            for channel, scores in found[key].channels.items():
                assert len(scores) == len(steps)
                assert scores == pytest.approx(expected[key][channel], abs=TOLERANCE), (layout, key)
