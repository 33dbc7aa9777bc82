"""What a project asks of a rater, and what is true: as its data were released, and as people verified them.

Released labels are the claims of injections, or what the source labelled. Gold are the labels of an item's settled
or agreed annotation. A step that gold leaves open counts for nothing, whichever of the two is the truth: so both
are read over the same solutions and the same steps.

Ids are those of solutions, as text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from annotator import errors
from annotator.actions import export_rows, second_look
from annotator.core import labels as lab
from annotator.models import Annotation, Decision, FinishReason, Item, Project

BENCHMARKS: Final = ("prmbench", "processbench", "best_of_n")
RELEASED, GOLD, SAME, BOTH = "released", "gold", "same", "both"
VERIFIED: Final = "verified"  # of gold what has released labels too: the other side of SAME
BY_PEOPLE: Final = (GOLD, VERIFIED)
LABELS: Final = (RELEASED, GOLD, BOTH)
CHUNK: Final = 5_000
AT_ONCE: Final = 500  # ids in one query
JUDGED: Final = ("", *(reason.value for reason in FinishReason if reason.judges))

T = TypeVar("T")
X = TypeVar("X")


@dataclass
class Truth(Generic[T]):
    """What is asked, one entry a solution (or question), by whose labels it is held against.

    released: everything with released labels.  gold: what people decided.  same: what is in `gold` and has
    released labels too, held against these.  n_gold: of the solutions in `verified`; n_under_review: of these those
    that wait for one more review, their last gold still standing.  left_out: why solutions are not asked, and how
    many.  stamp: of the project when this was read.
    """

    released: list[T] = field(default_factory=list)
    gold: list[T] = field(default_factory=list)
    same: list[T] = field(default_factory=list)
    n_gold: int = 0
    n_under_review: int = 0
    stamp: int | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def of(self, labels: str) -> list[T]:
        """labels: RELEASED, GOLD, SAME or VERIFIED."""
        found: list[T] = getattr(self, labels)
        return found

    @property
    def verified(self) -> list[T]:
        """Gold of exactly the solutions in `same`; all of it where nothing was released."""
        if not self.released:
            return self.gold
        both = {_id(one) for one in self.same}
        return [one for one in self.gold if _id(one) in both]


def _id(entry: Any) -> str:
    name: str = entry.id
    return name


@dataclass(frozen=True, slots=True)
class Gold:
    """What people decided of a solution: the item, a label a step, and whether it was agreed upon and not settled.
    rater: whose annotation it is. is_waiting: whether the item waits for one more review."""

    item: int
    labels: str
    is_agreed: bool
    rater: int
    is_waiting: bool = False

    @property
    def unknown(self) -> tuple[int, ...]:
        """0-based positions that it leaves open."""
        return tuple(at for at, label in enumerate(self.labels) if label in (lab.UNJUDGED, lab.UNSURE))


def golds(project: Project, solutions: Sequence[int] | None = None) -> dict[int, Gold]:
    """Solution id -> what was decided, where it says something of its steps; of several items of a solution the
    settled one, and one that waits for a second look last. solutions: only these."""
    found: dict[int, Gold] = {}
    for row in _decided(project, solutions):
        solution, item, decision, labels, rater, judged, verdict, is_waiting = row
        said = _whole(labels, verdict)
        gold = Gold(item, said, decision != Decision.SETTLED, rater, is_waiting)
        if (
            judged == solution
            and said.strip(lab.UNJUDGED + lab.UNSURE)
            and _stands_before(gold, found.get(solution))
        ):
            found[solution] = gold
    return found


def _stands_before(gold: Gold, other: Gold | None) -> bool:
    return other is None or (gold.is_waiting, gold.is_agreed) < (other.is_waiting, other.is_agreed)


def _decided(project: Project, solutions: Sequence[int] | None) -> Iterator[tuple[Any, ...]]:
    """Items with gold, then those whose gold waits for a second look."""
    items = Item.objects.filter(project=project).order_by("pk")
    if solutions is not None:
        items = items.filter(solution__in=solutions)
    about = ("labels", "rater_id", "solution_id", "verdict")
    rows = items.filter(gold__isnull=False, gold__finish_reason__in=JUDGED)
    of_items = ("solution_id", "pk", "decision", *(f"gold__{name}" for name in about))
    yield from ((*row, False) for row in rows.values_list(*of_items))
    waiting = second_look.waiting_golds(project)
    for some in batched(list(waiting.items())):
        before = Annotation.objects.filter(
            pk__in=[gold for _, gold in some], finish_reason__in=JUDGED, superseded_at=None
        )
        said = {pk: rest for pk, *rest in before.values_list("pk", *about)}
        solution_of = dict(items.filter(pk__in=[item for item, _ in some]).values_list("pk", "solution_id"))
        for item, gold in some:
            if item in solution_of and gold in said:
                yield (solution_of[item], item, Decision.AGREED, *said[gold], True)


def batched(some: Sequence[X]) -> Iterator[Sequence[X]]:
    for start in range(0, len(some), AT_ONCE):
        yield some[start : start + AT_ONCE]


def _whole(labels: str, verdict: dict[str, str] | None) -> str:
    """A solution that people found right as a whole, without a word on its steps, has no wrong step."""
    is_silent = not labels.strip(lab.UNJUDGED)
    return lab.RIGHT * len(labels) if is_silent and (verdict or {}).get("right") == "yes" else labels


@dataclass
class Present:
    """Which solutions of a project are asked at all: neither taken down, nor retired, nor of an unfinished import."""

    project: Project
    left_out: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        items = Item.objects.filter(project=self.project)
        retired = set(items.filter(retired=True).values_list("solution_id", flat=True))
        if retired:
            retired -= set(items.filter(retired=False).values_list("solution_id", flat=True))
        self._retired = retired
        self.here = export_rows.finished_solutions(self.project)

    def keep(self, solution: int, *taken_down: Any) -> bool:
        """taken_down: when the problem's texts were, None for never. What is left out is counted."""
        why = "taken down" if any(taken_down) else "retired" if solution in self._retired else ""
        if why:
            self.left_out[why] = self.left_out.get(why, 0) + 1
        return not why


def check_benchmark(benchmark: str) -> None:
    if benchmark not in BENCHMARKS:
        raise errors.Invalid(f"Choose a benchmark: {', '.join(BENCHMARKS)}.", field="benchmark")


def check_labels(labels: str) -> None:
    if labels not in LABELS:
        raise errors.Invalid(f"Choose whose labels: {', '.join(LABELS)}.", field="labels")
