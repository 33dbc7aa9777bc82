"""The review page's form to a judgement's JSON shape (core/judgement.py): the way without JavaScript.

review.js reads the same form into the same shape (form.js), so both ways mean the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from annotator import errors
from annotator.core import labels as lab

ENDS = ("bad_problem", "bad_split", "give_up")
KEPT_REASONS = ("solution", "found_error")


def read(post: QueryDict, steps: Sequence[str], ends: str = "") -> dict[str, Any]:
    """What was entered, as it was entered: core.judgement checks it. `ends`: one of ENDS, from its button."""
    labels = [post.get(f"label-{i}", "") or lab.UNJUDGED for i in range(len(steps))]
    return {
        "labels": "".join(labels),
        "error_types": {
            str(i): types
            for i, label in enumerate(labels)
            if label == lab.WRONG and (types := post.getlist(f"type-{i}"))
        },
        "edit": dict(_edits(post, steps)),
        "insert": {
            str(i): text
            for i in range(-1, len(steps))
            if (text := _lines(post.get(f"insert-{i}", ""))).strip()
        },
        "delete": [i for i in range(len(steps)) if post.get(f"delete-{i}")],
        "note": _note(post),
        "finish_reason": ends or _kept(post.get("finish_reason", "")),
        "verdict": _verdict(post),
        "duration_ms": _whole(post.get("duration_ms", "")),
    }  # fmt: skip


def check_end(data: Mapping[str, Any]) -> None:
    """Whoever ends a review early says why: the lead reads it."""
    if data["finish_reason"] in ENDS and not data["note"].strip():
        raise errors.Incomplete("Say in a few words what is wrong: a lead reads it.", field="why")


def _kept(reason: str) -> str:
    """The early ends have buttons of their own: a form that comes again must not repeat one."""
    return reason if reason in KEPT_REASONS else ""


def _edits(post: QueryDict, steps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Steps that were given another text. A browser sends line breaks as CRLF whatever they were."""
    for i, step in enumerate(steps):
        text = post.get(f"edit-{i}")
        if text is not None and text.strip() and _lines(text) != _lines(step):
            yield str(i), _lines(text)


def _lines(text: str) -> str:
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
