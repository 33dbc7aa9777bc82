"""The review page's form to a judgement's JSON shape (core/judgement.py): the way without JavaScript.

review.js reads the same form into the same shape (form.js), so both ways mean the same.
"""

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict

from annotator import errors
from annotator.core import labels as lab

MAX_STEPS = 5000
KEPT_REASONS = ("solution", "found_error")


def read(post: QueryDict, ends: str = "") -> dict[str, Any]:
    """What was entered, as it was entered: core.judgement checks it. `ends`: one of ENDS_EARLY, from its button.

    `n_steps` comes with the form: a step without a label has no field of its own.
    """
    n_steps = _whole(post.get("n_steps", ""))
    if not 1 <= n_steps <= MAX_STEPS:
        raise errors.Invalid("The form did not come whole: load the page again.", field="n_steps")
    labels = [post.get(f"label-{i}", "") or lab.UNJUDGED for i in range(n_steps)]
    return {
        "labels": "".join(labels),
        "error_types": {
            str(i): types
            for i, label in enumerate(labels)
            if label == lab.WRONG and (types := post.getlist(f"type-{i}"))
        },
        "edit": dict(_edits(post, n_steps)),
        "insert": {
            str(i): text
            for i in range(-1, n_steps)
            if (text := _lines(post.get(f"insert-{i}", ""))).strip()
        },
        "delete": [i for i in range(n_steps) if post.get(f"delete-{i}")],
        "note": _note(post),
        "finish_reason": ends or _kept(post.get("finish_reason", "")),
        "verdict": _verdict(post),
        "duration_ms": _whole(post.get("duration_ms", "")),
        "bulk": list(_bulk(post.get("bulk", ""), labels)),
        "alternatives": dict(_alternatives(post)),
    }  # fmt: skip


def _bulk(text: str, labels: list[str]) -> Iterator[int]:
    """The field has each position with the label it was given, "3+,4+": one labelled otherwise since, by hand
    and without a script to say so, is no longer bulk."""
    for part in text.split(","):
        position = _whole(part[:-1])
        if part[:-1].isdecimal() and position < len(labels) and labels[position] == part[-1]:
            yield position


def _alternatives(post: QueryDict) -> Iterator[tuple[str, str]]:
    prefix = "other-"
    return ((name.removeprefix(prefix), post.get(name, "")) for name in post if name.startswith(prefix))


def _kept(reason: str) -> str:
    """The early ends have buttons of their own: a form that comes again must not repeat one."""
    return reason if reason in KEPT_REASONS else ""


def _edits(post: QueryDict, n_steps: int) -> Iterator[tuple[str, str]]:
    """Every step's text field that came; the action drops those that change nothing."""
    for i in range(n_steps):
        text = _lines(post.get(f"edit-{i}", ""))
        if text.strip():
            yield str(i), text


def _lines(text: str) -> str:
    """A browser sends line breaks as CRLF whatever they were."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _note(post: QueryDict) -> str:
    """The note, and the reason for ending early below it where that is not what the note says already."""
    note, why = _lines(post.get("note", "")), _lines(post.get("why", ""))
    return note if not why.strip() or why in note else f"{note}\n{why}".strip()


def _verdict(post: QueryDict) -> dict[str, str]:
    prefix = "verdict-"
    given = {name.removeprefix(prefix): post.get(name, "") for name in post if name.startswith(prefix)}
    return {question: answer for question, answer in given.items() if answer}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
