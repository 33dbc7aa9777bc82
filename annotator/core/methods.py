"""Machine methods by their ids, as people read them. The methods themselves live in other apps."""

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "rules": "Inject errors by rules",
    "inject": "Inject errors",
    "alternatives": "Find other solutions",
    "sample": "Sample solutions",
    "rollout": "Rollouts",
    "judge": "Judge",
    "critic": "Critic",
    "consensus": "Consensus",
    "score": "Score by a PRM",
    "try": "Try PRMs",
}


def title(method: str) -> str:
    """ "Inject errors by rules"; a method that nobody knows any more goes by its id."""
    return TITLES.get(method, method)
