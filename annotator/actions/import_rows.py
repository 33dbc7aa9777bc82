"""A batch of foreign records as rows. What is there already is found by key and not written twice; the number
of queries for a batch is fixed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Model

from annotator.actions.bulk import Table
from annotator.actions.findings import COLUMNS as FINDING
from annotator.actions.import_files import problem_key
from annotator.core import align, checks
from annotator.core import labels as lab
from annotator.core.digest import digest, solution_digest
from annotator.formats.records import ImportRecord, LabelRecord, LoneProblem, ProblemRecord, SolutionRecord
from annotator.models import Annotation, Finding, Import, Injection, Phase, Problem, Rater, Solution

SIBLING_OF = "sibling_of"  # in a solution's meta: the record whose main solution is reviewed instead

# The columns in the order in which the functions below give their values.
PROBLEM = ("key", "parent_id", "group", "foreign_id", "text", "answer", "meta")
SOLUTION = (
    "key", "digest", "problem_id", "parent_id", "steps", "n_steps", "foreign_id", "foreign_format", "extra", "meta",
)  # fmt: skip
INJECTION = (
    "child_id", "parent_id", "rater_id", "error_type", "claimed_changed", "claimed_wrong", "reason", "alignment",
)  # fmt: skip
ANNOTATION = ("solution_id", "rater_id", "labels", "n_steps", "first_error", "scores", "duration_ms")

Row = tuple[Any, ...]


class Keyed(NamedTuple):
    """A record with its solution's key and content digest."""

    record: ImportRecord
    key: str
    content: str


class Alone(NamedTuple):
    """A problem without a solution, with its key."""

    record: LoneProblem
    key: str


class _Wanted(NamedTuple):
    """A keyed record with the keys of the rows that its solution refers to; "" where there is none."""

    keyed: Keyed
    problem: str
    changed: str
    original: str


class Writer:
    """Writes batches of one import. Raters are looked up once."""

    def __init__(self, row: Import) -> None:
        self._row = row
        self._raters: dict[tuple[str, str], int] = {}
        mine = {"project_id": row.project_id, "source_import_id": row.pk}
        self._tables = {
            Problem: Table(Problem, PROBLEM, **mine),
            Solution: Table(Solution, SOLUTION, **mine),
            Injection: Table(Injection, INJECTION),
            Annotation: Table(Annotation, ANNOTATION, phase=Phase.MACHINE),
            Finding: Table(Finding, FINDING, project_id=row.project_id),
        }

    def store(self, batch: Sequence[Keyed]) -> int:
        """Write what is not there yet; return how many records that is. The caller is in a transaction."""
        known = self._ids(Solution, [keyed.key for keyed in batch])
        wanted = [_wanted(keyed) for keyed in batch if keyed.key not in known]
        if wanted:
            problems = self._problems(wanted)
            originals = self._originals(wanted, problems)
            self._reviewed(wanted, problems, originals)
        return len(wanted)

    def store_alone(self, batch: Sequence[Alone]) -> None:
        """Write the problems that are not there yet. The caller is in a transaction."""
        ids = self._ids(Problem, [one.key for one in batch])
        self._create(Problem, ids, {key: _problem(key, one.problem, None) for one, key in batch})

    def _problems(self, wanted: list[_Wanted]) -> dict[str, int]:
        """Problem ids by key: the original questions, then the changed ones, which refer to them."""
        ids = self._ids(Problem, {key for w in wanted for key in (w.problem, w.changed) if key})
        first = {w.problem: _problem(w.problem, w.keyed.record.problem, None) for w in wanted}
        self._create(Problem, ids, first)
        changed = {
            w.changed: _problem(w.changed, w.keyed.record.changed_problem, ids[w.problem])
            for w in wanted
            if w.keyed.record.changed_problem and w.changed not in ids
        }
        self._create(Problem, ids, changed)
        return ids

    def _originals(self, wanted: list[_Wanted], problems: dict[str, int]) -> dict[str, int]:
        """Ids by key of the solutions that were altered: one row however many records share it."""
        ids = self._ids(Solution, {w.original for w in wanted if w.original})
        rows = {}
        for w in wanted:
            record = w.keyed.record
            if record.original and w.original not in ids and w.original not in rows:
                content = solution_digest(record.problem.text, record.original.steps)
                rows[w.original] = _solution(w.original, content, record.original, problems[w.problem])
        self._create(Solution, ids, rows)
        return ids

    def _reviewed(self, wanted: list[_Wanted], problems: dict[str, int], originals: dict[str, int]) -> None:
        seen = self._used_ids({w.keyed.record.foreign_id for w in wanted})
        rows = {w.keyed.key: self._incoming(w, problems, originals) for w in wanted}
        ids: dict[str, int] = {}
        self._create(Solution, ids, rows)
        pairs = [(ids[w.keyed.key], w) for w in wanted]
        self._find_raters([w.keyed.record for w in wanted])
        self._insert(Injection, (row for pk, w in pairs for row in self._injections(pk, w, originals)))
        self._insert(Annotation, (row for pk, w in pairs for row in self._annotations(pk, w.keyed.record)))
        self._insert(Finding, (row for pk, w in pairs for row in _findings(pk, w.keyed.record, seen)))

    def _used_ids(self, foreign_ids: set[str]) -> set[str]:
        """Which of these ids are those of solutions under review: neither originals, which have no format, nor
        siblings."""
        rows = Solution.objects.filter(project=self._row.project_id, foreign_id__in=foreign_ids - {""})
        rows = rows.exclude(foreign_format="").exclude(meta__has_key=SIBLING_OF)
        return set(rows.values_list("foreign_id", flat=True))

    def _incoming(self, wanted: _Wanted, problems: dict[str, int], originals: dict[str, int]) -> Row:
        (record, key, content), problem, changed, original = wanted
        meta = record.solution.meta | ({SIBLING_OF: record.sibling_of} if record.sibling_of else {})
        return _solution(
            key, content, record.solution, problems[changed or problem], originals.get(original),
            self._row.format, record.extra, meta,
        )  # fmt: skip

    def _injections(self, child: int, wanted: _Wanted, originals: dict[str, int]) -> Iterator[Row]:
        record, parent = wanted.keyed.record, originals.get(wanted.original)
        original, claim = record.original, record.claim
        if original and claim and parent:
            pairs = align.dump(align.align(original.steps, record.solution.steps))
            rater = self._rater(_labels(record, self._row.format)[0])
            yield (
                child, parent, rater, claim.error_type, claim.claimed_changed, claim.claimed_wrong, claim.reason,
                pairs,
            )  # fmt: skip

    def _annotations(self, solution: int, record: ImportRecord) -> Iterator[Row]:
        """Without the finish reason: a source that gave up has labelled all the same, and goes out as it came."""
        for label in record.labels:
            yield (
                solution, self._rater(label), label.labels, len(record.solution.steps),
                lab.first_error(label.labels), label.scores, label.duration_ms,
            )  # fmt: skip

    def _find_raters(self, records: Iterable[ImportRecord]) -> None:
        """Before rows are made: then nothing may be asked of the database."""
        labels = (label for record in records for label in _labels(record, self._row.format))
        for kind, name in sorted({(label.kind, label.name) for label in labels} - set(self._raters)):
            rater, _ = Rater.objects.get_or_create(kind=kind, name=name, digest="")
            self._raters[kind, name] = rater.pk

    def _rater(self, label: LabelRecord) -> int:
        return self._raters[label.kind, label.name]

    def _ids(self, model: type[Problem] | type[Solution], keys: Iterable[str]) -> dict[str, int]:
        rows = model._default_manager.filter(project_id=self._row.project_id, key__in=list(keys))
        return dict(rows.values_list("key", "pk"))

    def _create(
        self, model: type[Problem] | type[Solution], ids: dict[str, int], rows: Mapping[str, Row]
    ) -> None:
        """Write the rows whose keys are not there yet, and add their ids to `ids`."""
        new = {key: row for key, row in rows.items() if key not in ids}
        if new:
            self._insert(model, new.values())
            ids.update(self._ids(model, new))

    def _insert(self, model: type[Model], rows: Iterable[Row]) -> None:
        self._tables[model].insert(rows)


def _problem(key: str, record: ProblemRecord, parent: int | None) -> Row:
    return key, parent, record.group, record.foreign_id, record.text, record.answer, record.meta


def _solution(
    key: str, content: str, record: SolutionRecord, problem: int, parent: int | None = None, fmt: str = "",
    extra: str = "", meta: Mapping[str, Any] | None = None,
) -> Row:  # fmt: skip
    meta = record.meta if meta is None else meta
    n_steps = len(record.steps)
    return key, content, problem, parent, record.steps, n_steps, record.foreign_id, fmt, extra, meta


def _labels(record: ImportRecord, fmt: str) -> tuple[LabelRecord, ...]:
    """Whoever labelled an injection made its error; without labels it is whoever made the format."""
    alone = record.claim and not record.labels
    return (LabelRecord("injector", fmt, ""),) if alone else record.labels


def _findings(solution: int, record: ImportRecord, seen: set[str]) -> Iterator[Row]:
    """What checks find in a solution that is to be reviewed; its id is then one of those `seen`."""
    if record.sibling_of:
        return
    question, original, claim = record.changed_problem or record.problem, record.original, record.claim
    injection = None
    if original and claim:
        injection = checks.Injection(
            record.problem.text, original.steps, claim.error_type, claim.claimed_changed, claim.claimed_wrong
        )
    for finding in checks.check(
        record.solution.steps, problem=question.text, answer=question.answer, injection=injection,
        foreign_id=record.foreign_id, seen=seen,
    ):  # fmt: skip
        yield solution, *finding
    seen.add(record.foreign_id)


def _wanted(keyed: Keyed) -> _Wanted:
    record = keyed.record
    problem = problem_key(record.problem, "")
    changed = problem_key(record.changed_problem, problem) if record.changed_problem else ""
    original = digest("original", problem, record.original.steps) if record.original else ""
    return _Wanted(keyed, problem, changed, original)
