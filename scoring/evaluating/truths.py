"""What a project asks of a rater, and what is true: as its data were released, and as people verified them.

Released labels are the claims of injections, or what the source labelled. Gold are the labels of an item's settled
or agreed annotation. A step that gold leaves open counts for nothing, whichever of the two is the truth: so both
are read over the same solutions and the same steps.

Ids are those of solutions, as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from annotator import errors
from annotator.actions import export_rows
from annotator.core import labels as lab
from annotator.models import Decision, FinishReason, Item, Project

BENCHMARKS: Final = ("prmbench", "processbench", "best_of_n")
RELEASED, GOLD, SAME, BOTH = "released", "gold", "same", "both"
LABELS: Final = (RELEASED, GOLD, BOTH)
CHUNK: Final = 5_000
JUDGED: Final = ("", *(reason.value for reason in FinishReason if reason.judges))

T = TypeVar("T")


@dataclass
class Truth(Generic[T]):
    """What is asked, one entry a solution (or question), by whose labels it is held against.

    released: everything with released labels.  gold: what people decided.  same: what is in `gold` and has
    released labels too, held against these.  left_out: why solutions are not asked, and how many.
    """

    released: list[T] = field(default_factory=list)
    gold: list[T] = field(default_factory=list)
    same: list[T] = field(default_factory=list)
    n_gold: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def of(self, labels: str) -> list[T]:
        """labels: RELEASED, GOLD or SAME."""
        found: list[T] = getattr(self, labels)
        return found


@dataclass(frozen=True, slots=True)
class Gold:
    """What people decided of a solution: the item, a label a step, and whether it was agreed upon and not settled.
    rater: whose annotation it is."""

    item: int
    labels: str
    is_agreed: bool
    rater: int

    @property
    def unknown(self) -> tuple[int, ...]:
        """0-based positions that it leaves open."""
        return tuple(at for at, label in enumerate(self.labels) if label in (lab.UNJUDGED, lab.UNSURE))


def golds(project: Project, solutions: Sequence[int] | None = None) -> dict[int, Gold]:
    """Solution id -> what was decided, where it says something of its steps; of several items of a solution the
    settled one. solutions: only these."""
    rows = Item.objects.filter(project=project, gold__isnull=False, gold__finish_reason__in=JUDGED)
    if solutions is not None:
        rows = rows.filter(solution__in=solutions)
    found: dict[int, Gold] = {}
    columns = (
        "solution_id", "pk", "decision", "gold__labels", "gold__rater_id", "gold__solution_id", "gold__verdict",
    )  # fmt: skip
    for solution, item, decision, labels, rater, judged, verdict in rows.order_by("pk").values_list(*columns):
        said = _whole(labels, verdict)
        is_agreed = decision == Decision.AGREED
        is_open = solution not in found or (found[solution].is_agreed and not is_agreed)
        if judged == solution and said.strip(lab.UNJUDGED + lab.UNSURE) and is_open:
            found[solution] = Gold(item, said, is_agreed, rater)
    return found


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
