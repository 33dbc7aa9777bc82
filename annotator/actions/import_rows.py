"""A batch of foreign records as rows. What is there already is found by key and not written twice; the number
of queries for a batch is fixed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from annotator.actions.import_files import problem_key
from annotator.core import align
from annotator.core import labels as lab
from annotator.core.digest import digest, solution_digest
from annotator.formats.records import ImportRecord, LabelRecord, LoneProblem, ProblemRecord, SolutionRecord
from annotator.models import Annotation, Import, Injection, Phase, Problem, Rater, Solution

SIBLING_OF = "sibling_of"  # in a solution's meta: the record whose main solution is reviewed instead

R = TypeVar("R", Problem, Solution)


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
        self._raters: dict[tuple[str, str], Rater] = {}

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
        self._create(Problem, ids, {key: self._problem(key, one.problem, None) for one, key in batch})

    def _problems(self, wanted: list[_Wanted]) -> dict[str, int]:
        """Problem ids by key: the original questions, then the changed ones, which refer to them."""
        ids = self._ids(Problem, {key for w in wanted for key in (w.problem, w.changed) if key})
        first = {w.problem: self._problem(w.problem, w.keyed.record.problem, None) for w in wanted}
        self._create(Problem, ids, first)
        changed = {
            w.changed: self._problem(w.changed, w.keyed.record.changed_problem, ids[w.problem])
            for w in wanted
            if w.keyed.record.changed_problem and w.changed not in ids
        }
        self._create(Problem, ids, changed)
        return ids

    def _problem(self, key: str, record: ProblemRecord, parent_id: int | None) -> Problem:
        return Problem(
            project_id=self._row.project_id, source_import_id=self._row.pk, key=key, parent_id=parent_id,
            group=record.group, foreign_id=record.foreign_id, text=record.text, answer=record.answer,
            meta=record.meta,
        )  # fmt: skip

    def _originals(self, wanted: list[_Wanted], problems: dict[str, int]) -> dict[str, int]:
        """Ids by key of the solutions that were altered: one row however many records share it."""
        ids = self._ids(Solution, {w.original for w in wanted if w.original})
        rows = {}
        for w in wanted:
            record = w.keyed.record
            if record.original and w.original not in ids:
                content = solution_digest(record.problem.text, record.original.steps)
                rows[w.original] = self._solution(w.original, content, record.original, problems[w.problem])
        self._create(Solution, ids, rows)
        return ids

    def _reviewed(self, wanted: list[_Wanted], problems: dict[str, int], originals: dict[str, int]) -> None:
        solutions = []
        for (record, key, content), problem, changed, original in wanted:
            row = self._solution(key, content, record.solution, problems[changed or problem])
            row.parent_id = originals.get(original)
            row.foreign_format, row.extra = self._row.format, record.extra
            if record.sibling_of:
                row.meta = record.solution.meta | {SIBLING_OF: record.sibling_of}
            solutions.append(row)
        Solution.objects.bulk_create(solutions)
        pairs = [(solution, w.keyed.record) for solution, w in zip(solutions, wanted, strict=True)]
        injections = (self._injection(solution, record) for solution, record in pairs)
        Injection.objects.bulk_create(filter(None, injections))
        Annotation.objects.bulk_create(
            self._annotation(solution, label) for solution, record in pairs for label in record.labels
        )

    def _solution(self, key: str, content: str, record: SolutionRecord, problem_id: int) -> Solution:
        return Solution(
            project_id=self._row.project_id, source_import_id=self._row.pk, problem_id=problem_id, key=key,
            digest=content, steps=record.steps, n_steps=len(record.steps), foreign_id=record.foreign_id,
            meta=record.meta,
        )  # fmt: skip

    def _injection(self, child: Solution, record: ImportRecord) -> Injection | None:
        original, claim = record.original, record.claim
        if original is None or claim is None or child.parent_id is None:
            return None
        return Injection(
            child_id=child.pk, parent_id=child.parent_id, rater_id=self._injector(record).pk,
            error_type=claim.error_type, claimed_changed=claim.claimed_changed,
            claimed_wrong=claim.claimed_wrong, reason=claim.reason,
            alignment=align.dump(align.align(original.steps, child.steps)),
        )  # fmt: skip

    def _annotation(self, solution: Solution, label: LabelRecord) -> Annotation:
        """Without the finish reason: a source that gave up has labelled all the same, and goes out as it came."""
        return Annotation(
            solution_id=solution.pk, rater_id=self._rater(label).pk, phase=Phase.MACHINE, labels=label.labels,
            n_steps=solution.n_steps, first_error=lab.first_error(label.labels), scores=label.scores,
            duration_ms=label.duration_ms,
        )  # fmt: skip

    def _injector(self, record: ImportRecord) -> Rater:
        """Whoever labelled the record made its error; without labels it is whoever made the format."""
        return self._rater(
            record.labels[0] if record.labels else LabelRecord("injector", self._row.format, "")
        )

    def _rater(self, label: LabelRecord) -> Rater:
        name = (label.kind, label.name)
        if name not in self._raters:
            self._raters[name], _ = Rater.objects.get_or_create(kind=label.kind, name=label.name, digest="")
        return self._raters[name]

    def _ids(self, model: type[R], keys: Iterable[str]) -> dict[str, int]:
        rows = model._default_manager.filter(project_id=self._row.project_id, key__in=list(keys))
        return dict(rows.values_list("key", "pk"))

    def _create(self, model: type[R], ids: dict[str, int], rows: Mapping[str, R]) -> None:
        new = [row for key, row in rows.items() if key not in ids]
        model._default_manager.bulk_create(new)
        ids.update((row.key, row.pk) for row in new)


def _wanted(keyed: Keyed) -> _Wanted:
    record = keyed.record
    problem = problem_key(record.problem, "")
    changed = problem_key(record.changed_problem, problem) if record.changed_problem else ""
    original = digest("original", problem, record.original.steps) if record.original else ""
    return _Wanted(keyed, problem, changed, original)
