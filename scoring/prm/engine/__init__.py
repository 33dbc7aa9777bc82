"""Step scores of any model of the catalogue, at the hardware's speed (docs/scoring-speed.md).

`load` a model once, then `score` solutions; `plan` says beforehand which of them go together. torch and transformers
are imported when these run.
"""

from scoring.prm.engine.forward import Layout, NoRoom
from scoring.prm.engine.loading import DEFAULT_BUDGET, Model, limited, load, tokenizer
from scoring.prm.engine.scoring import Planned, Scored, Solution, plan, score

__all__ = [
    "DEFAULT_BUDGET",
    "Layout",
    "Model",
    "NoRoom",
    "Planned",
    "Scored",
    "Solution",
    "limited",
    "load",
    "plan",
    "score",
    "tokenizer",
]
