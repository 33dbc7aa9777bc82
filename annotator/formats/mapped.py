"""A group's own JSON lines (or one JSON list), read by a map from our words to places in their records.

    problem=question.text,answer=gold,response=samples.0,id=uid,meta=level,meta=info.model

A place is a dotted path: names of members, 0-based places in lists; a backslash makes a dot or comma part of
a name. The words:

    problem, answer       the question (needed for solutions) and its reference answer
    response | steps      a solution, as one text to be split or as a list of texts; neither: problems alone
    id, group, digest     of the solution (of a problem alone: its own); of its problem; of a known solution
    meta                  any number of places; a member goes by its own name, an object brings all of its
    labels                one text (+-0?.), or a list of true, false, 1, -1, 0, null or such characters
    scores                list of numbers
    first_error           0-based, -1 for none
    rater                 who labelled

In a list of numbers 0 may mean neutral (PRM800K) or wrong (a bit); nobody can tell which, so it must be said.
"""

from collections.abc import Iterator
from typing import Any, Literal

from annotator.core import labels as core
from annotator.formats import fields, options
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.mapping import NAME, Map, View
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import (
    AnnotationRecord,
    FormatError,
    ImportRecord,
    LabelRecord,
    LoneProblem,
    ProblemRecord,
    SolutionRecord,
)
from annotator.formats.splitting import Split, split

Zero = Literal["neutral", "wrong"]


def read_solutions(
    source: Source, name: str, of: Map, how: Split = "none", zero: Zero | None = None, threshold: float = 0.5
) -> Iterator[ImportRecord | LoneProblem | FormatError]:
    """Yield a file's solutions, or its problems where the map has no solution. Raises UnreadableFile.

    how: the way `response` is split.  zero: what 0 means in `labels`.  threshold: a step without a label is
    right if its score is above it. Raises ValueError at once for a map without a problem.
    """
    if "problem" not in of:
        raise ValueError("the map must say where the problem is")
    has_solution = "response" in of or "steps" in of

    def one(raw: RawRecord) -> ImportRecord | LoneProblem:
        view = View(raw, of)
        if not has_solution:
            return LoneProblem(raw.place, _problem(view, True), view.extra())
        return _solution(view, how, zero, threshold)

    return convert(read_records(source, name), one)


def read_annotations(
    source: Source, name: str, of: Map, zero: Zero | None = None
) -> Iterator[AnnotationRecord | FormatError]:
    """Yield judgements of solutions known by id or digest: labels, scores, or a first error alone.

    Raises UnreadableFile, and ValueError at once for a map that lacks either.
    """
    if "id" not in of and "digest" not in of:
        raise ValueError("the map must say where the id or the digest of the solution is")
    if not any(word in of for word in ("labels", "scores", "first_error")):
        raise ValueError("the map must say where the labels, scores or first error are")
    return convert(read_records(source, name), lambda raw: _annotation(View(raw, of), zero))


def _problem(view: View, is_alone: bool) -> ProblemRecord:
    text, meta = fields.filled(view.raw, view.key("problem")), view.meta()
    # What else is known tells of the solution: two solutions of a problem must not make two problems of it.
    about = {"source": NAME} | {key: meta[key] for key in (meta if is_alone else ("source",)) if key in meta}
    foreign_id = view.identifier("id") if is_alone else ""
    group = view.identifier("group") or fields.group_of(text)
    return ProblemRecord(text, view.text("answer"), foreign_id, group, about)


def _solution(view: View, how: Split, zero: Zero | None, threshold: float) -> ImportRecord:
    problem, steps = _problem(view, False), _steps(view, how)
    name = view.identifier("id") or fields.id_of(NAME, problem.text, steps)
    solution = SolutionRecord(steps, name, view.meta() | {"length": len(steps)})
    labels = _label_records(view, len(steps), zero, threshold)
    return ImportRecord(view.raw.place, name, problem, None, None, solution, None, labels, view.extra())


def _steps(view: View, how: Split) -> tuple[str, ...]:
    if view.key("steps"):
        return fields.steps(view.raw, view.key("steps"))
    return split(fields.filled(view.raw, view.key("response")), how)


def _label_records(view: View, n_steps: int, zero: Zero | None, threshold: float) -> tuple[LabelRecord, ...]:
    labels, scores, first = _judgement(view, zero, n_steps)
    if labels is None and first is not None:
        labels = core.labels_from_first_error(first, n_steps)
    if labels is None and scores is not None:
        labels = options.harden(scores, threshold)
    if labels is None:
        return ()
    return (LabelRecord("source", view.identifier("rater", fields.MAX_RATER) or NAME, labels, scores),)


def _annotation(view: View, zero: Zero | None) -> AnnotationRecord:
    foreign_id, digest = view.identifier("id"), view.identifier("digest")
    if not foreign_id and not digest:
        raise view.fault("id" if view.key("id") else "digest", "is missing")
    labels, scores, first = _judgement(view, zero, None)
    if labels is None and scores is None and first is None:
        raise fault(view.raw.place, "", "has neither labels nor scores nor a first error")
    return AnnotationRecord(
        view.raw.place, foreign_id, digest, view.identifier("rater", fields.MAX_RATER), labels, scores,
        first_error=first, extra=view.extra(),
    )  # fmt: skip


def _judgement(
    view: View, zero: Zero | None, n_steps: int | None
) -> tuple[str | None, tuple[float, ...] | None, int | None]:
    """Return labels, scores and first error, each None where the record has none."""
    labels = _labels(view, zero) if view.has("labels") else None
    scores = fields.numbers(view.raw, view.key("scores")) if view.has("scores") else None
    for word, found in (("labels", labels), ("scores", scores)):
        n = n_steps if n_steps is not None else len(labels) if labels is not None else None
        if found is not None and n is not None and len(found) != n:
            raise view.fault(
                word, f"must be as many as the {n} {'steps' if n_steps else 'labels'}, not {len(found)}"
            )
    return labels, scores, _first_error(view, n_steps) if view.has("first_error") else None


def _first_error(view: View, n_steps: int | None) -> int:
    first = fields.whole_number(view.raw, view.key("first_error"))
    if first < core.NO_ERROR or (n_steps is not None and first >= n_steps):
        raise view.fault("first_error", f"must be -1 or the 0-based place of a step, not {first}")
    return first


def _labels(view: View, zero: Zero | None) -> str:
    value = view.value("labels")
    if not isinstance(value, str | list):
        raise view.fault("labels", f"must be text or a list, not {shown(value)}")
    if not value:
        raise view.fault("labels", "must have at least one label")
    return "".join(_label(view, at, one, zero) for at, one in enumerate(value))


def _label(view: View, at: int, value: Any, zero: Zero | None) -> str:
    """Return one label. 1 and 1.0 are the same to Python, so types are told apart first."""
    if value is None:
        return core.UNJUDGED
    if type(value) is str and value in core.LABELS:
        return value
    if type(value) is bool or (type(value) is int and value in (1, -1)):
        return core.RIGHT if value > 0 else core.WRONG
    place = f"{view.key('labels')}[{at}]"
    if type(value) is int and value == 0:
        if zero is None:
            raise fault(view.raw.place, place, "is 0: say whether that means neutral or wrong")
        return core.NEUTRAL if zero == "neutral" else core.WRONG
    soft = "; soft values are scores" if type(value) is float else ""
    message = f"must be one of + - 0 ? ., true, false, 1, 0, -1 or null, not {shown(value)}{soft}"
    raise fault(view.raw.place, place, message)
