"""PRM800K (arXiv 2305.20050): JSON lines, one labeler's walk through one problem a record.

    labeler, timestamp                 text, or null
    generation                         whole number, null in phase 1
    is_quality_control_question, is_initial_screening_question   bool
    question                           problem, ground_truth_solution, ground_truth_answer;
                                       phase 2: pre_generated_steps, _answer, _verifier_score
    label                              annotator.formats.prm800k_label

A record becomes several solutions: the path, which is the pre-generated solution (not judged after the
stop) or, where the labeler went another way, the steps chosen; and for each other completion a sibling, the
path up to it with that completion as its last step. Records have no id, so theirs is a digest; a sibling's
is its record's, the 0-based step, and the 0-based completion or "human". Neighbours are put together again
when they are written: a record for each rater. Meant for our own annotations too, from any format.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import choices, fields, options, verbatim
from annotator.formats import prm800k_label as shape
from annotator.formats.decoding import RawRecord, fault
from annotator.formats.prm800k_groups import Spot, groups, spot_text
from annotator.formats.reading import Source, convert_each, read_records
from annotator.formats.records import (
    CannotWrite,
    ExportRecord,
    FormatError,
    ImportRecord,
    LabelRecord,
    ProblemRecord,
    SolutionRecord,
)

NAME: Final = "prm800k"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.Options(redundant="neutral")  # as its labelers were told
SAYS: Final = choices.Says(neutral=True, gaps=True, stops=frozenset({"bad_problem", "give_up"}))

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_USUAL: Final = (
    "labeler", "timestamp", "generation", "is_quality_control_question", "is_initial_screening_question",
    "question", "label",
)  # fmt: skip
_OURS: Final = frozenset({"labeler", "timestamp", "label"})  # what another labeler's record says differently
_LABELER: Final = f"source:{NAME}"
_NO_ALTERNATIVES: Final[Mapping[tuple[int, shape.Choice], str]] = {}


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield each record's path, then its siblings, and a FormatError for each record that cannot be used.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    Raises UnreadableFile.
    """
    return convert_each(read_records(source, name), _import)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included: one a record and rater, if a record's rows are neighbours.

    Rows must name their raters where several have labelled, or these could not be told apart.
    """
    for group in groups(rows):
        for labeler in dict.fromkeys([*group.paths, *group.siblings]):
            siblings = group.siblings.get(labeler, {})
            if labeler in group.paths:
                last = {(spot.position, spot.choice): row.labels[-1] for spot, row in siblings.items()}
                path = group.paths[labeler]
                untouched = path.is_source and all(row.is_source for row in siblings.values())
                yield write_record(replace(path, is_source=untouched), last) + "\n"
            else:
                yield from (write_record(row) + "\n" for row in siblings.values())


def write_record(
    row: ExportRecord, alternatives: Mapping[tuple[int, shape.Choice], str] = _NO_ALTERNATIVES
) -> str:
    """Return the record as one line of JSON without its end.

    The source's own annotation goes out as it came in. Other labels become ratings ('?' a flag) through the
    last judged step; the record's other completions keep their texts and have no rating unless
    `alternatives` ({(0-based step, completion): label}) has one.
    """
    if row.is_source:
        members = _members(row.changed_problem or row.problem, row.solution, row.labels)
        return verbatim.restore(_FORM, row.extra, members, _USUAL)
    meta = row.solution.meta
    is_labeler = row.rater == _LABELER and "labeler" in meta  # whose labels a choice has changed
    finish: str | None = row.finish_reason
    time: float | int | None = row.duration_ms
    if is_labeler:
        finish, time = meta.get("finish_reason"), meta.get("total_time_ms")
    members = _members(row.changed_problem or row.problem, row.solution, row.labels) | {
        "labeler": meta["labeler"] if is_labeler else row.rater or None,
        "timestamp": meta.get("timestamp") if is_labeler else row.made_at or None,
        "label": shape.build(
            verbatim.kept_value(_FORM, row.extra, "label"),
            row.solution.steps, row.labels, alternatives, finish, time,
        ),
    }  # fmt: skip
    return verbatim.restore(_FORM, row.extra, members, _USUAL, _OURS)


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return None: the format can say every row."""
    return None


def _import(raw: RawRecord) -> Iterator[ImportRecord]:
    question, label = fields.inner(raw, "question"), fields.inner(raw, "label")
    problem, path = _problem(question), shape.read(label)
    pre_generated = _pre_generated(question)
    steps, labels = _whole_path(label, path, pre_generated)
    shared = _meta(raw) | {"phase": 1 if pre_generated is None else 2}
    record = fields.id_of(
        NAME, shared.get("labeler"), shared.get("timestamp"), problem.text, steps, labels,
        [(at.position, at.choice, at.candidate.text, at.candidate.label) for at in path.alternatives],
    )  # fmt: skip
    solution = SolutionRecord(
        steps, record, {"length": len(steps)} | shared | _path_meta(question, label, path)
    )
    rebuilt = verbatim.exact(raw, _members(problem, solution, labels))
    extra = verbatim.keep(_FORM, raw, rebuilt, _USUAL)
    source = _source(labels, label)
    yield ImportRecord(raw.place, record, problem, None, None, solution, None, (source,), extra)
    for alternative in path.alternatives:
        yield _sibling(raw, problem, path, alternative, record, shared)


def _sibling(
    raw: RawRecord,
    problem: ProblemRecord,
    path: shape.Path,
    alternative: shape.Alternative,
    record: str,
    shared: dict[str, Any],
) -> ImportRecord:
    position, candidate = alternative.position, alternative.candidate
    steps = (*path.texts[:position], candidate.text)
    name = f"{record}.{position}.{alternative.choice}"
    meta = {"length": len(steps)} | shared | ({"flagged": [position]} if candidate.is_flagged else {})
    source = LabelRecord("source", NAME, path.labels[:position] + candidate.label)
    extra = spot_text(Spot(record, position, alternative.choice))
    solution = SolutionRecord(steps, name, meta)
    return ImportRecord(raw.place, name, problem, None, None, solution, None, (source,), extra, record)


def _problem(question: RawRecord) -> ProblemRecord:
    text = fields.filled(question, "problem")
    answer = fields.optional(question, "ground_truth_answer", str, "text")
    reference = fields.optional(question, "ground_truth_solution", str, "text")
    meta = {"source": NAME} | ({"reference_solution": reference} if reference is not None else {})
    return ProblemRecord(text, answer, "", fields.group_of(text), meta)


def _pre_generated(question: RawRecord) -> tuple[str, ...] | None:
    if question.fields.get("pre_generated_steps") is None:
        return None
    return fields.steps(question, "pre_generated_steps")


def _whole_path(
    label: RawRecord, path: shape.Path, pre_generated: tuple[str, ...] | None
) -> tuple[tuple[str, ...], str]:
    """Return the path's steps and labels: on to the end of the pre-generated solution, if it followed it."""
    if pre_generated and pre_generated[: len(path.texts)] == path.texts:
        return pre_generated, path.labels.ljust(len(pre_generated), core.UNJUDGED)
    if not path.texts:
        raise fault(label.place, "steps", "must have at least one step with a text")
    return path.texts, path.labels


def _meta(raw: RawRecord) -> dict[str, Any]:
    """Return what the path and its siblings share."""
    known = {
        "labeler": fields.optional(raw, "labeler", str, "text"),
        "timestamp": fields.optional(raw, "timestamp", str, "text"),
        "generation": fields.optional(raw, "generation", int, "a whole number"),
        "quality_control": bool(fields.optional(raw, "is_quality_control_question", bool, "true, false")),
        "screening": bool(fields.optional(raw, "is_initial_screening_question", bool, "true, false")),
    }
    return {key: value for key, value in known.items() if value is not None}


def _path_meta(question: RawRecord, label: RawRecord, path: shape.Path) -> dict[str, Any]:
    score = fields.number(question, "pre_generated_verifier_score")
    known = {
        "answer": fields.optional(question, "pre_generated_answer", str, "text"),
        "verifier_score": score if score is None else float(score),
        "finish_reason": shape.finish_reason(label),
        "total_time_ms": shape.total_time(label),
        "flagged": list(path.flagged) or None,
        "human_steps": list(path.human) or None,
    }
    return {key: value for key, value in known.items() if value is not None}


def _source(labels: str, label: RawRecord) -> LabelRecord:
    time = shape.total_time(label)
    return LabelRecord(
        "source", NAME, labels,
        finish_reason=shape.finish_reason(label) or "", duration_ms=None if time is None else round(time),
    )  # fmt: skip


def _members(problem: ProblemRecord, solution: SolutionRecord, labels: str) -> dict[str, Any]:
    """Return the record's fields as far as our own data gives them, its labeler's labels among them."""
    meta, steps = solution.meta, solution.steps
    return {
        "labeler": meta.get("labeler"),
        "timestamp": meta.get("timestamp"),
        "generation": meta.get("generation"),
        "is_quality_control_question": bool(meta.get("quality_control")),
        "is_initial_screening_question": bool(meta.get("screening")),
        "question": {
            "problem": problem.text,
            "ground_truth_solution": problem.meta.get("reference_solution"),
            "ground_truth_answer": problem.answer,
            "pre_generated_steps": None if meta.get("phase") == 1 else list(steps),
            "pre_generated_answer": meta.get("answer"),
            "pre_generated_verifier_score": meta.get("verifier_score"),
        },
        "label": shape.build(
            None, steps, labels, _NO_ALTERNATIVES, meta.get("finish_reason"), meta.get("total_time_ms")
        ),
    }  # fmt: skip
