"""The keys of the review screen: what each does, what it is by default, and which a reviewer may choose.

A key is written as the browser names it (KeyboardEvent.key), letters in lower case: 'j', '.', 'Enter'.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from annotator.core.labels import ERROR_TYPES, ErrorType


class Binding(NamedTuple):
    """`key` is the default one; `title` says on screen what it does."""

    key: str
    title: str


class KindKey(NamedTuple):
    """An error type as one reviewer has it: `key` is "" where another action has its key (`taken_by`: that
    action's title)."""

    code: str
    title: str
    key: str
    definition: str
    taken_by: str


# In the order of the sheet of keys.
ACTIONS: Final[dict[str, Binding]] = {
    "right": Binding("1", "label right"),
    "neutral": Binding("2", "label neutral"),
    "wrong": Binding("3", "label wrong"),
    "unsure": Binding("4", "label unsure"),
    "unjudged": Binding(".", "clear the label"),
    "following": Binding("b", "label the rest like this step, or the one before"),
    "next": Binding("j", "next step"),
    "previous": Binding("k", "previous step"),
    "jump": Binding("l", "next step without a label; once revealed, the next difference"),
    "commit": Binding("Enter", "commit, or open the next item"),
    "undo": Binding("u", "undo"),
    "edit": Binding("e", "edit the step"),
    "insert": Binding("i", "insert a step after this one"),
    "delete": Binding("x", "delete the step"),
    "accept": Binding("a", "accept the claim"),
    "fix": Binding("z", "the claim needs fixing"),
    "reject": Binding("y", "reject the claim"),
    "guidelines": Binding("g", "open the guidelines"),
    "original": Binding("v", "show the original"),
    "raw": Binding("t", "show raw TeX"),
    "note": Binding("n", "write a note"),
    "question": Binding("q", "ask a lead"),
    "calculator": Binding("=", "open the calculator"),
    "link": Binding("#", "copy a link to the step"),
    "large": Binding("+", "larger text, or as it was"),
    "keys": Binding("?", "show the keys"),
    **{kind.code: Binding(kind.key, f"error type: {kind.title}") for kind in ERROR_TYPES},
}  # fmt: skip

KINDS: Final = frozenset(kind.code for kind in ERROR_TYPES)  # the actions that name one of the eight

# The browser, the page or assistive technology needs these: arrows move between steps whatever j and k are.
RESERVED: Final = frozenset(
    {"Tab", "Escape", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Backspace", "/", "'"}
)
NAMED: Final = frozenset({"Enter", "Insert", "Delete", "Home", "End", "PageUp", "PageDown"})


def normal(key: str) -> str:
    """Letters in lower case, named keys as the browser spells them: what is stored and compared."""
    key = key if key == " " else key.strip()
    named = {name.lower(): name for name in NAMED | RESERVED}
    return named.get(key.lower(), key.lower())


def check(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Action -> what is wrong with its key, for the keys in force if `mapping` (action -> key) were laid over
    the defaults. Empty when all is well."""
    wrong = {action: message for action, key in mapping.items() if (message := _unusable(action, key))}
    chosen = _over_defaults({action: key for action, key in mapping.items() if action not in wrong})
    holders: dict[str, list[str]] = {}
    for action, key in chosen.items():
        if action not in wrong:
            holders.setdefault(key, []).append(action)
    for key, actions in holders.items():
        for action in actions if len(actions) > 1 else []:
            others = " and ".join(f"“{ACTIONS[other].title}”" for other in actions if other != action)
            wrong[action] = f"“{key}” is also the key of {others}: choose another for one of them."
    return wrong


def in_force(user_keys: Mapping[str, Any]) -> dict[str, str]:
    """Every action's key. What cannot be used of `user_keys` gives way to the default, so that whatever is
    stored the screen has working keys."""
    wrong = check(user_keys)
    usable = {action: key for action, key in user_keys.items() if action not in wrong}
    return _over_defaults({} if check(usable) else usable)


def kind_keys(bound: Mapping[str, str], kinds: Iterable[ErrorType]) -> list[KindKey]:
    """The keys of a project's error types, given those of all actions (`in_force`).

    What a reviewer chose for one of the eight holds wherever a project has it; else the project's key does. Where
    that is an action's, or an earlier type's, the type has none.
    """
    taken = {key: ACTIONS[action].title for action, key in bound.items() if action not in KINDS}
    found = []
    for kind in kinds:
        chosen = bound[kind.code] if kind.code in KINDS else ""
        key = chosen if chosen and chosen != ACTIONS[kind.code].key else normal(kind.key)
        holder = taken.get(key, "")
        found.append(KindKey(kind.code, kind.title, "" if holder else key, kind.definition, holder))
        taken.setdefault(key, kind.title)
    return found


def differences(mapping: Mapping[str, str]) -> dict[str, str]:
    """What to store of a full mapping: only what differs from the defaults, so that those may improve."""
    chosen = {action: normal(key) for action, key in mapping.items()}
    return {action: key for action, key in chosen.items() if key != ACTIONS[action].key}


def _over_defaults(mapping: Mapping[str, str]) -> dict[str, str]:
    return {action: normal(mapping.get(action, binding.key)) for action, binding in ACTIONS.items()}


def _unusable(action: str, key: Any) -> str:
    if action not in ACTIONS:
        return "There is no such action."
    if not isinstance(key, str) or (not key.strip(" \t\r\n") and key != " "):
        return "Choose a key."
    key = normal(key)
    if key in RESERVED:
        return f"“{'Space' if key == ' ' else key}” is kept for the browser and the page: choose another."
    if key not in NAMED and not (len(key) == 1 and key.isprintable()):
        return f"“{key[:20]}” is not one key: write one character, or one of {', '.join(sorted(NAMED))}."
    return ""
