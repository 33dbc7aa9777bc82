"""Content digests: the same everywhere, so that an export, a rater and an import mean the same text."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def digest(*parts: Any) -> str:
    """sha256, in hex, of the parts as compact JSON: key order and number spelling as given."""
    return hashlib.sha256(_compact(parts).encode()).hexdigest()


def solution_digest(problem_text: str, steps: Sequence[str]) -> str:
    """A solution's identity by content: the question it answers and its steps in order."""
    return digest(problem_text, list(steps))
