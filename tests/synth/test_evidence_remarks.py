"""What an injection does besides its error is told with its evidence."""

from annotator.core.labels import ERROR_TYPES
from annotator.models import Problem, Solution
from synth.machines.injecting import _remarks
from synth.methods.injections import Injected


def test_another_last_step_and_length_are_remarked_on() -> None:
    parent = Solution(problem=Problem(text="1 + 1?"), steps=["We add.", "It is 2."])
    made = Injected("1 + 1?", ("We add.", "So.", "It is 3."), (2, 3), (3,), "It is 2.", ERROR_TYPES[0].code)
    assert set(_remarks(parent, made)) >= {"Final step changed", "Number of steps changed"}
