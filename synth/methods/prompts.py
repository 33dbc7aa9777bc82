"""Prompts as files: synth/prompts/NAME.jinja, one block for each message, and NAME.toml with worked examples.

A prompt is published under its name ("judge-1"): whoever changes the words makes a new name, so that labels made
with other words are another rater's. Texts from data come in as values and are never read as templates.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).resolve().parent.parent / "prompts"


def render(name: str, block: str, **values: Any) -> str:
    """Return one block of a prompt with its values, without blanks around it. Raises UndefinedError for a value that
    is not given, KeyError for a block that the prompt does not have."""
    template = _environment().get_template(f"{name}.jinja")
    return "".join(template.blocks[block](template.new_context(values))).strip()


def message(role: str, name: str, block: str, **values: Any) -> Mapping[str, str]:
    """Return one message of a conversation."""
    return {"role": role, "content": render(name, block, **values)}


@lru_cache
def examples(name: str) -> Mapping[str, Any]:
    """Return what NAME.toml holds: worked examples and what goes with them. Not to be changed."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache
def digest(*names: str) -> str:
    """Return the SHA-256 (hex) of all that is in the named prompts: part of the rater that was asked with them.

    Raises FileNotFoundError for a name that no prompt has.
    """
    found = hashlib.sha256()
    for name in names:
        words, worked = FOLDER / f"{name}.jinja", FOLDER / f"{name}.toml"
        for path in (words, worked) if worked.exists() else (words,):
            text = path.read_bytes()
            found.update(f"{path.name} {len(text)}\n".encode() + text)
    return found.hexdigest()


@lru_cache
def _environment() -> "Environment":
    from jinja2 import FileSystemLoader, StrictUndefined  # the web does without
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # a prompt is plain text, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
