"""The solutions of a project as items, cases and questions of the three benchmarks. One pass over columns each."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from django.db.models import F, Q

from annotator.actions import second_look
from annotator.core import labels as lab
from annotator.core.answers import final_answer
from annotator.formats import prmbench as prmbench_format
from annotator.models import Annotation, Injection, Phase, Project, RaterKind, Solution
from annotator.models import Item as QueueItem
from scoring.evaluating.truths import CHUNK, Gold, Present, Truth, check_benchmark, golds
from scoring.metrics.best_of_n import Question, Response
from scoring.metrics.prmbench import CORRECT, Item
from scoring.metrics.processbench import Case

BY_REDUNDANCY: Final = "redundancy"
RIGHT_ANSWER: Final = "final_answer_correct"
SUBSET: Final = "source"  # in a problem's meta: the part of a benchmark it is from
ALL: Final = "all"
REPEATED, NO_FIRST = "repeated ids", "no first error known"

INJECTED = (
    "child_id", "parent_id", "error_type", "claimed_wrong", "child__n_steps", "parent__n_steps",
    "child__foreign_id", "child__foreign_format", "child__problem__group", "child__problem__taken_down_at",
    "child__problem__parent__taken_down_at",
)  # fmt: skip
LABELLED = (
    "pk", "n_steps", "foreign_format", "meta", "problem__group", "problem__meta", "problem__taken_down_at",
    "problem__parent__taken_down_at",
)  # fmt: skip


def truth(project: Project, benchmark: str) -> Truth[Any]:
    """Everything that the project asks. Raises Invalid for no benchmark."""
    check_benchmark(benchmark)
    return _TRUTHS[benchmark](project)


def benchmarks(project: Project) -> list[str]:
    """What the project can be measured as, one query each."""
    known = _sourced(project).exclude(first_error=lab.UNKNOWN)
    there = {
        "prmbench": Injection.objects.filter(child__project=project).exists(),
        "processbench": known.exists() or _decided(project).exclude(gold__first_error=lab.UNKNOWN).exists(),
        "best_of_n": _has_two(_answered(project).order_by("problem").values_list("problem", "pk")),
    }
    return [name for name, is_there in there.items() if is_there]


def _has_two(rows: Any) -> bool:
    """Whether a problem comes twice; rows: (problem, solution)."""
    seen: dict[int, int] = {}
    return any(seen.setdefault(problem, pk) != pk for problem, pk in rows.iterator(CHUNK))


def _answered(project: Project) -> Any:
    """Solutions of which is known whether the final answer is right; an edit has its parent's word for it."""
    return Solution.objects.filter(project=project, parent=None, meta__has_key=RIGHT_ANSWER)


def prmbench(project: Project) -> Truth[Item]:
    """Injections, and the originals that redundancy was put into as PRMBench's `correct` items. Of one foreign id
    the first counts, as its evaluator has it."""
    present, decided, found = Present(project), golds(project), Truth[Item]()
    rows = Injection.objects.filter(child__in=present.here).order_by("child_id")
    kept = [
        _Injected(*row[:-2])
        for row in rows.values_list(*INJECTED).iterator(CHUNK)
        if present.keep(row[0], *row[-2:])
    ]
    kept = _once(kept, present)
    originals = {row.parent: row for row in kept if row.kind == BY_REDUNDANCY}
    first = {row.group: row.parent for row in reversed(kept) if row.kind == BY_REDUNDANCY}
    for row in kept:
        base = str(row.parent if row.parent in originals else first.get(row.group, row.parent))
        _add(found, _item(row, base), decided.get(row.child))
    bases = {item.base for item in found.gold}
    for parent, row in originals.items():
        item = Item(str(parent), CORRECT, row.n_parent, (), str(parent), row.group)
        found.released.append(item)
        if item.base in bases:
            found.same.append(item)
            found.gold.append(item)
    found.left_out = present.left_out
    return found


class _Injected(NamedTuple):
    child: int
    parent: int
    kind: str
    wrong: list[int]
    n_steps: int
    n_parent: int
    foreign_id: str
    format: str
    group: str


def _once(rows: list[_Injected], present: Present) -> list[_Injected]:
    seen: set[str] = set()
    kept = []
    for row in rows:
        name = row.foreign_id if row.format == prmbench_format.NAME else ""
        if name and name in seen:
            present.left_out[REPEATED] = present.left_out.get(REPEATED, 0) + 1
            continue
        seen.add(name)
        kept.append(row)
    return kept


def _item(row: _Injected, base: str) -> Item:
    wrong = tuple(step - 1 for step in row.wrong)
    return Item(str(row.child), row.kind, row.n_steps, wrong, base, row.group)


def _add(found: Truth[Item], item: Item, gold: Gold | None) -> None:
    found.released.append(item)
    if gold is not None:
        unknown = gold.unknown
        found.same.append(replace(item, unknown=unknown))
        found.gold.append(replace(item, wrong=tuple(lab.wrong_steps(gold.labels)), unknown=unknown))
        found.n_gold += 1
        found.n_under_review += gold.is_waiting


def processbench(project: Project) -> Truth[Case]:
    """Solutions without an injection of which the source, or people, know the first error."""
    present, decided, found = Present(project), golds(project), Truth[Case]()
    said = dict(_sourced(project).values_list("solution_id", "first_error").iterator(CHUNK))
    wanted = Solution.objects.filter(project=project, injection__isnull=True, pk__in=present.here)
    waiting = QueueItem.objects.filter(project=project, gold=None, events__verb=second_look.SENT).values(
        "solution"
    )
    asked = Q(pk__in=_sourced(project).values("solution")) | Q(pk__in=_decided(project))
    rows = wanted.filter(asked | Q(pk__in=waiting))
    for pk, n_steps, _, meta, group, about, *gone in (
        rows.order_by("pk").values_list(*LABELLED).iterator(CHUNK)
    ):
        if not present.keep(pk, *gone):
            continue
        gold = decided.get(pk)
        released, verified = said.get(pk, lab.UNKNOWN), lab.first_error(gold.labels) if gold else lab.UNKNOWN
        case = Case(str(pk), subset_of(about), released, None, group, meta.get(RIGHT_ANSWER), n_steps)
        _add_case(found, case, released, verified, present.left_out)
        is_counted = verified != lab.UNKNOWN and released != lab.UNKNOWN
        found.n_under_review += bool(gold and gold.is_waiting and is_counted)
    found.n_gold = len(found.verified)
    found.left_out = present.left_out
    return found


def _add_case(found: Truth[Case], case: Case, released: int, gold: int, left_out: dict[str, int]) -> None:
    if released != lab.UNKNOWN:
        found.released.append(case)
    if gold != lab.UNKNOWN:
        found.gold.append(case._replace(label=gold))
        if released != lab.UNKNOWN:
            found.same.append(case)
    elif released == lab.UNKNOWN:
        left_out[NO_FIRST] = left_out.get(NO_FIRST, 0) + 1


def subset_of(meta: Mapping[str, Any]) -> str:
    """The part of a benchmark that a problem's `meta` names."""
    found = meta.get(SUBSET)
    return found if isinstance(found, str) and found else ALL


def _sourced(project: Project) -> Any:
    """What the source of the data said of solutions that have no injection."""
    return Annotation.objects.filter(
        solution__project=project, solution__injection__isnull=True, phase=Phase.MACHINE,
        superseded_at=None, rater__kind=RaterKind.SOURCE, rater__name=F("solution__foreign_format"),
    )  # fmt: skip


def _decided(project: Project) -> Any:
    rows = QueueItem.objects.filter(project=project, gold__isnull=False, solution__injection__isnull=True)
    return rows.values("solution")


class Asked(NamedTuple):
    """A question without scores, and the solutions that its responses are."""

    question: Question
    solutions: tuple[int, ...]


class _Answer(NamedTuple):
    """One answer to a problem, ordered by its place among those sampled with it."""

    place: int
    solution: int
    response: Response
    dataset: str
    group: str


def best_of_n(project: Project) -> Truth[Asked]:
    """Problems with several solutions of which is known whether the final answer is right, in the order sampled;
    what one run sampled is one question. Whether an answer is right is no label of a step: there is no gold here."""
    present = Present(project)
    rows = _answered(project).filter(pk__in=present.here).order_by("pk")
    columns = ("problem_id", "pk", "meta", "steps", *LABELLED[4:])
    sets: defaultdict[tuple[int, str], list[_Answer]] = defaultdict(list)
    for problem, pk, meta, steps, group, about, *gone in rows.values_list(*columns).iterator(CHUNK):
        if type(meta.get(RIGHT_ANSWER)) is bool and present.keep(pk, *gone):
            response = Response((final_answer(steps) or "").strip(), meta[RIGHT_ANSWER], None)
            answer = _Answer(_place(meta), pk, response, subset_of(about), group)
            sets[problem, str(meta.get("run", ""))].append(answer)
    asked = [_asked(f"{problem}:{run}", some) for (problem, run), some in sets.items() if len(some) > 1]
    return Truth(asked, left_out=present.left_out)


def _asked(name: str, answers: list[_Answer]) -> Asked:
    in_order = sorted(answers, key=lambda one: (one.place, one.solution))
    first = in_order[0]
    question = Question(name, first.dataset, [one.response for one in in_order], group=first.group)
    return Asked(question, tuple(one.solution for one in in_order))


def _place(meta: Mapping[str, Any]) -> int:
    place = meta.get("sample")
    return place if type(place) is int else 0


_TRUTHS: Final[Mapping[str, Callable[[Project], Truth[Any]]]] = {
    "prmbench": prmbench, "processbench": processbench, "best_of_n": best_of_n,
}  # fmt: skip
