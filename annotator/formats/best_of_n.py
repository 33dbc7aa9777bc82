"""Best-of-N sets, as PRMBench's BoN task has them: JSON lines, a question and all its sampled answers.

    id         text; a response's id is the set's, a slash and its 0-based place
    question   text
    responses  list of texts; a blank line ends a step, as in that task
    answer     text or number, or null
    labels     list as long of "correct" and anything else, or of bool; or missing, where nobody has checked
    places     where some responses were left out: list as long of the places that the others have in the whole
               set, ascending, so that their ids stay the same; missing in a whole set

`labels` are of the final answers and say nothing about steps: nobody's judgement of steps has a place here.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from annotator.formats import choices, fields, options, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.reading import Source, convert, convert_each, read_records
from annotator.formats.records import (
    CannotWrite,
    ExportRecord,
    FormatError,
    ImportRecord,
    Place,
    ProblemRecord,
    SolutionRecord,
)
from annotator.formats.splitting import split

NAME: Final = "best_of_n"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.KEEP
SAYS: Final = choices.Says(labels=False)
CORRECT: Final = "correct"

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_USUAL: Final = ("id", "question", "responses", "answer", "labels")


@dataclass(frozen=True, slots=True)
class BestOfN:
    """A question with its responses; `is_right` tells of each response's final answer, None if unknown."""

    place: Place
    foreign_id: str
    question: str
    responses: tuple[str, ...]
    answer: str | None
    is_right: tuple[bool | None, ...]
    extra: str = ""
    places: tuple[int, ...] = ()  # none: 0, 1, …

    def place_of(self, position: int) -> int:
        """Return the place in the whole set of the response at a 0-based position."""
        return self.places[position] if self.places else position

    def response_id(self, position: int) -> str:
        """Return the id of the response at a 0-based position, as results name it."""
        return f"{self.foreign_id}/{self.place_of(position)}"


def read_sets(source: Source, name: str) -> Iterator[BestOfN | FormatError]:
    """Yield a file's sets, and a FormatError for each that cannot be used. Raises UnreadableFile.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    """
    return convert(read_records(source, name), _set)


def write_sets(sets: Iterable[BestOfN]) -> Iterator[str]:
    """Yield the file's lines, ends included; sets that were read go out as they came in."""
    for one in sets:
        yield verbatim.restore(_FORM, one.extra, _members(one), _usual(one)) + "\n"


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included: neighbours that answer one question are a set, each answer once.

    A set that is whole goes out as it came in.
    """
    return write_sets(_set_of(group) for group in _groups(rows))


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return None: labels of steps are not asked for, and the format can say all else."""
    return None


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield a solution for each response of each set. They are of equal standing and have no labels."""
    return convert_each(read_records(source, name), lambda raw: _solutions(_set(raw)))


def steps_of(response: str) -> tuple[str, ...]:
    """Return the response's steps; one of nothing but blanks is a single step."""
    return split(response, "blank-line") or (response,)


def _set(raw: RawRecord) -> BestOfN:
    responses = fields.steps(raw, "responses")
    found = BestOfN(
        raw.place, fields.identifier(raw, "id"), fields.filled(raw, "question"), responses,
        fields.text_or_number(raw, "answer"), _is_right(raw, len(responses)), places=_places(raw, len(responses)),
    )  # fmt: skip
    return replace(
        found, extra=verbatim.keep(_FORM, raw, verbatim.exact(raw, _members(found)), _usual(found))
    )


def _places(raw: RawRecord, n: int) -> tuple[int, ...]:
    """Those that the record tells, unless they are what they are without."""
    if raw.fields.get("places") is None:
        return ()
    found = fields.whole_numbers(raw, "places")
    if len(found) != n or found[0] < 0 or any(one >= other for one, other in pairwise(found)):
        raise fault(raw.place, "places", f"must be {n} ascending numbers from 0 on, one for each response")
    return _told(found)


def _told(places: tuple[int, ...]) -> tuple[int, ...]:
    return () if places == tuple(range(len(places))) else places


def _is_right(raw: RawRecord, n: int) -> tuple[bool | None, ...]:
    value = raw.fields.get("labels")
    if value is None:
        return (None,) * n
    if type(value) is not list:
        raise fault(raw.place, "labels", f"must be a list of labels, not {shown(value)}")
    if len(value) != n:
        raise fault(raw.place, "labels", f"must be as many as the {n} responses, not {len(value)}")
    return tuple(_right(raw, position, one) for position, one in enumerate(value))


def _right(raw: RawRecord, position: int, value: Any) -> bool | None:
    if value is None or type(value) is bool:
        return value
    if value in (0, 1) and type(value) is int:
        return bool(value)
    if type(value) is str:
        return value == CORRECT
    raise fault(raw.place, f"labels[{position}]", f"must be text, true, false or null, not {shown(value)}")


def _solutions(one: BestOfN) -> Iterator[ImportRecord]:
    meta = {"source": fields.source_of(one.foreign_id, NAME)}
    group = fields.group_of(one.question)
    problem = ProblemRecord(one.question, one.answer, one.foreign_id, group, meta)
    for position, (response, is_right) in enumerate(zip(one.responses, one.is_right, strict=True)):
        steps, name = steps_of(response), one.response_id(position)
        about: dict[str, Any] = {"length": len(steps), "sample": one.place_of(position)}
        if is_right is not None:
            about["final_answer_correct"] = is_right
        solution = SolutionRecord(steps, name, about)
        extra = _extra(one, position, response, steps)
        yield ImportRecord(one.place, name, problem, None, None, solution, None, (), extra)


def _extra(one: BestOfN, position: int, response: str, steps: Sequence[str]) -> str:
    """Return what of a response its steps do not tell: how it was broken into lines; of the first, its set."""
    found: dict[str, Any] = {}
    if position == 0 and one.extra:
        found |= {"set": one.extra, "n": len(one.responses)}
    if _joined(steps) != response:
        found["response"] = response
    return json.dumps({"of": NAME, **found}, ensure_ascii=False) if found else ""


def kept(steps: Sequence[str], response: str) -> str:
    """Return the `extra` of a response that came in no file: how it was broken into lines, "" where steps tell."""
    if _joined(steps) == response:
        return ""
    return json.dumps({"of": NAME, "response": response}, ensure_ascii=False)


def _joined(steps: Sequence[str]) -> str:
    return "\n\n".join(steps)


def _groups(rows: Iterable[ExportRecord]) -> Iterator[list[ExportRecord]]:
    """Yield the neighbours that belong together, in order; several judgements of one solution are one row."""
    group: list[ExportRecord] = []
    for row in rows:
        if group and row.solution == group[-1].solution and row.extra == group[-1].extra:
            continue
        if group and not _is_next(group[-1], row):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _is_next(before: ExportRecord, row: ExportRecord) -> bool:
    """Whether the row answers the same question, in the same set where they came in sets."""
    if _question(before) != _question(row) or _set_id(before) != _set_id(row):
        return False
    first, second = before.solution.meta.get("sample"), row.solution.meta.get("sample")
    return first is None or second is None or first < second


def _question(row: ExportRecord) -> ProblemRecord:
    return row.changed_problem or row.problem


def _set_id(row: ExportRecord) -> str:
    name, slash, sample = row.solution.foreign_id.rpartition("/")
    if slash and sample == str(row.solution.meta.get("sample")):
        return name
    return _question(row).foreign_id or row.problem.group


def _set_of(group: list[ExportRecord]) -> BestOfN:
    problem, kept = _question(group[0]), [_kept(row) for row in group]
    responses = tuple(
        one.get("response", _joined(row.solution.steps)) for one, row in zip(kept, group, strict=True)
    )
    is_right = tuple(row.solution.meta.get("final_answer_correct") for row in group)
    is_whole = kept[0].get("n") == len(group)
    extra = kept[0]["set"] if is_whole else ""
    samples = [row.solution.meta.get("sample") for row in group]
    known = tuple(one for one in samples if type(one) is int)
    places = _told(known) if len(known) == len(group) else ()
    return BestOfN(
        Place("", 0), _set_id(group[0]), problem.text, responses, problem.answer, is_right, extra, places
    )  # fmt: skip


def _kept(row: ExportRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.extra) if row.extra else {}
    return found if found.get("of") == NAME else {}


def _members(one: BestOfN) -> dict[str, Any]:
    words = {True: CORRECT, False: "incorrect", None: None}
    return {
        "id": one.foreign_id,
        "question": one.question,
        "responses": list(one.responses),
        "answer": one.answer,
        "labels": [words[is_right] for is_right in one.is_right],
        **({"places": list(one.places)} if one.places else {}),
    }


def _usual(one: BestOfN) -> tuple[str, ...]:
    return (*_USUAL, "places") if one.places else _USUAL
