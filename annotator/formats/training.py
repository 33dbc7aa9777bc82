"""What training code reads, write only: one JSON object a line.

    rlhflow    {"conversations": [{"role", "content"}]}: the first user turn is the question and step 1, each
               further one a step; the assistant answers + or - (RLHFlow/Mistral-PRM-Data)
    openrlhf   {"input", "label"}: the question, then each step with a mark after it; label: a list of + and -
               (OpenRLHF's process reward data)
    qwen       {"messages", "labels"}: a chat whose answer has <extra_0> after each step; labels: a list of 1
               and 0 (the card of Qwen2.5-Math-PRM-7B)

All know only right and wrong. A step without a label cuts the rest; it is never wrong.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from annotator.formats import options
from annotator.formats.records import CannotWrite, ExportRecord, UnknownLabels

SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.BINARY
MARK: Final = "ки"  # OpenRLHF's examples use Math-Shepherd's
EXTRA: Final = "<extra_0>"
SYSTEM: Final = "Please reason step by step, and put your final answer within \\boxed{}."

_encode = json.JSONEncoder(ensure_ascii=False).encode


class Training(NamedTuple):
    """A shape: its name, a mark that no text may hold ("" for none), and the record of a labelled prefix."""

    name: str
    mark: str
    members: Callable[[str, list[str], list[bool]], dict[str, Any]]

    def write(self, rows: Iterable[ExportRecord]) -> Iterator[str]:
        """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
        for row in rows:
            refused = self.refusal(row)
            if refused:
                raise refused
            labels = list(options.binary(row.labels))
            steps = list(row.solution.steps[: len(labels)])
            yield _encode(self.members((row.changed_problem or row.problem).text, steps, labels)) + "\n"

    def refusal(self, row: ExportRecord) -> CannotWrite | None:
        """Return why the row cannot be written in this shape, or None."""
        if not options.binary(row.labels):
            message = f"{self.name} knows only right and wrong, and the first step is unsure or not judged"
            return UnknownLabels(row.solution.foreign_id, message)
        texts = ((row.changed_problem or row.problem).text, *row.solution.steps)
        if self.mark and any(self.mark in text for text in texts):
            message = f"{self.name} puts {self.mark} after each step, and a text holds one itself"
            return CannotWrite(row.solution.foreign_id, message)
        return None


def _signs(labels: list[bool]) -> list[str]:
    return ["+" if label else "-" for label in labels]


def _rlhflow(problem: str, steps: list[str], labels: list[bool]) -> dict[str, Any]:
    turns = [f"{problem} {steps[0]}", *steps[1:]]
    return {
        "conversations": [
            {"role": role, "content": content}
            for turn, sign in zip(turns, _signs(labels), strict=True)
            for role, content in (("user", turn), ("assistant", sign))
        ]
    }


def _openrlhf(problem: str, steps: list[str], labels: list[bool]) -> dict[str, Any]:
    return {"input": f"{problem} " + "\n".join(f"{step} {MARK}" for step in steps), "label": _signs(labels)}


def _qwen(problem: str, steps: list[str], labels: list[bool]) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": problem},
        {"role": "assistant", "content": "".join(step + EXTRA for step in steps)},
    ]
    return {"messages": messages, "labels": [int(label) for label in labels]}


SHAPES: Final = (
    Training("rlhflow", "", _rlhflow),
    Training("openrlhf", MARK, _openrlhf),
    Training("qwen", EXTRA, _qwen),
)
