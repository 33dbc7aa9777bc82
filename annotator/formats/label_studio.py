"""Label Studio projects, as its JSON export has them (one list of tasks): read only.

    data         the task's own fields: the problem, and the steps as texts, as {"text": …}, or as one text
    annotations  list of {result, completed_by: number or {email, …}, was_cancelled, lead_time (seconds)}
    predictions  list of {result, model_version}
    result       list of {from_name, type, value: {<type>: [choice, …]}}, a control's answer each

A project is laid out as its makers liked, so a `Layout` says where things are. A result's step is, in this
order: its `item_index` (0-based); the paragraphs `start` to `end` of its value (0-based); the number at the
end of `from_name`, as a Repeater's indexFlag writes it. A skipped (`was_cancelled`) annotation is none; of
several by one person the last counts. JSON_MIN and CSV exports lose who said what and are not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import fields, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.mapping import Map, View
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import FormatError, ImportRecord, LabelRecord, ProblemRecord, SolutionRecord
from annotator.formats.splitting import Split, split

NAME: Final = "label_studio"
WORDS: Final[Mapping[str, str]] = {
    "correct": core.RIGHT, "right": core.RIGHT, "good": core.RIGHT, "positive": core.RIGHT, "+": core.RIGHT,
    "neutral": core.NEUTRAL, "0": core.NEUTRAL,
    "incorrect": core.WRONG, "wrong": core.WRONG, "bad": core.WRONG, "negative": core.WRONG, "-": core.WRONG,
    "unsure": core.UNSURE, "?": core.UNSURE,
}  # fmt: skip

_FORM: Final = verbatim.Form(NAME, verbatim.ELEMENTS)
_NUMBER: Final = re.compile(r"(\d{1,4})$")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a project is laid out.

    data: where problem, answer, id, and steps or response (split by `how`) stand, inside the task's `data`.
    control: how the names of the controls that label steps begin; "" for any control with a known choice.
    choices: our label of each choice, in lower case.  first: the number of the first step in control names.
    """

    data: Map = field(default_factory=lambda: Map({"problem": ("problem",), "steps": ("steps",)}))
    how: Split = "none"
    control: str = ""
    choices: Mapping[str, str] = field(default_factory=lambda: WORDS)
    first: int = 0


USUAL: Final = Layout()


def read(source: Source, name: str, layout: Layout = USUAL) -> Iterator[ImportRecord | FormatError]:
    """Yield a project's tasks, with the labels of each person and model. Raises UnreadableFile.

    Steps that have no result are not judged. Raises ValueError for a map without a problem or a solution.
    """
    if "problem" not in layout.data or not ("steps" in layout.data or "response" in layout.data):
        raise ValueError("the layout must say where the problem is, and the steps or the response")
    return convert(read_records(source, name), lambda raw: _task(raw, layout))


def _task(raw: RawRecord, layout: Layout) -> ImportRecord:
    view = View(fields.inner(raw, "data"), layout.data)
    text = fields.filled(view.raw, view.key("problem"))
    group = view.identifier("group") or fields.group_of(text)
    problem = ProblemRecord(text, view.text("answer"), "", group, {"source": NAME})
    steps = _steps(view, layout)
    task = fields.text_or_number(raw, "id") or fields.id_of(NAME, text, steps)
    name = view.identifier("id") or task[: fields.MAX_ID]
    solution = SolutionRecord(steps, name, view.meta() | {"length": len(steps)})
    labels = tuple(_by_rater(raw, len(steps), layout))
    extra = verbatim.others(_FORM, raw, ("id", "data", "annotations", "predictions"))
    return ImportRecord(raw.place, name, problem, None, None, solution, None, labels, extra)


def _steps(view: View, layout: Layout) -> tuple[str, ...]:
    if "response" in layout.data:
        return split(fields.filled(view.raw, view.key("response")), layout.how)
    key = view.key("steps")
    value = view.value("steps")
    if isinstance(value, list) and value and all(isinstance(step, dict) for step in value):
        return tuple(fields.text(step, "text") for step in fields.objects(view.raw, key))
    return fields.steps(view.raw, key)


def _by_rater(raw: RawRecord, n_steps: int, layout: Layout) -> Iterable[LabelRecord]:
    found: dict[str, LabelRecord] = {}
    for one in _several(raw, "annotations"):
        if not fields.optional(one, "was_cancelled", bool, "true, false"):
            who = f"{NAME} {_person(one)}"[: fields.MAX_RATER]
            labels = _labels(one, n_steps, layout)
            found[who] = LabelRecord("source", who, labels, duration_ms=_duration(one))
    for one in _several(raw, "predictions"):
        model = fields.optional(one, "model_version", str, "text") or "model"
        who = f"{NAME} {model}"[: fields.MAX_RATER]
        found[who] = LabelRecord("source", who, _labels(one, n_steps, layout))
    return [record for record in found.values() if record.labels.strip(core.UNJUDGED)]


def _several(raw: RawRecord, key: str) -> list[RawRecord]:
    return fields.objects(raw, key) if key in raw.fields else []


def _person(one: RawRecord) -> str:
    who = one.fields.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return str(who) if isinstance(who, str | int) else "unknown"


def _duration(one: RawRecord) -> int | None:
    seconds = fields.number(one, "lead_time")
    return None if seconds is None or not 0 <= seconds < 10**9 else round(1000 * seconds)


def _labels(one: RawRecord, n_steps: int, layout: Layout) -> str:
    labels = [core.UNJUDGED] * n_steps
    for result in _several(one, "result"):
        label = _label(result, layout)
        for at in _places(result, layout) if label else ():
            if not 0 <= at < n_steps:
                raise fault(result.place, "", f"is about step {at} (0-based), but there are {n_steps}")
            if label and labels[at] not in (core.UNJUDGED, label):
                raise fault(result.place, "", f"gives step {at} (0-based) a second label")
            labels[at] = label or labels[at]
    return "".join(labels)


def _label(result: RawRecord, layout: Layout) -> str | None:
    """Return what the result says of its step, None if it is no label of a step."""
    control = fields.optional(result, "from_name", str, "text") or ""
    kind, value = result.fields.get("type"), result.fields.get("value")
    choices = value.get(kind) if isinstance(value, dict) and isinstance(kind, str) else None
    if not isinstance(choices, list) or not control.startswith(layout.control):
        return None
    said = [choice for choice in choices if isinstance(choice, str)]
    known = {
        layout.choices[choice.strip().lower()] for choice in said if choice.strip().lower() in layout.choices
    }
    if layout.control and said and not known:
        raise fault(result.place, f"value.{kind}", f"has an unknown choice, {shown(said[0])}")
    if len(known) > 1:
        raise fault(result.place, f"value.{kind}", "has choices that contradict each other")
    return next(iter(known), None)


def _places(result: RawRecord, layout: Layout) -> Iterable[int]:
    """Return the 0-based steps that a result is about; none if it is about the whole solution."""
    index = fields.optional(result, "item_index", int, "a whole number")
    if index is not None:
        return [index]
    value: dict[str, Any] = result.fields["value"]
    start, end = (str(value.get(key, "")) for key in ("start", "end"))
    if start.isdecimal() and end.isdecimal() and len(start) < 5 and len(end) < 5:
        return range(int(start), int(end) + 1)
    found = _NUMBER.search(str(result.fields.get("from_name", "")))
    return [int(found[1]) - layout.first] if found else ()
