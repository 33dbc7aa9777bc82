"""What of a project's evaluations is listed, page by page: misses, disagreements, what people moved. Which solutions
are in a list is kept; what stands in it is read for the page alone."""

from collections.abc import Callable
from typing import Any, TypeVar

from annotator.models import Project, Rater
from scoring.evaluating import places, rules, said
from scoring.evaluating.kept import kept, side_of, truth_of
from scoring.evaluating.pages import Listed, Walk
from scoring.evaluating.places import Apart, Held, Miss, Moved
from scoring.evaluating.said import Cut
from scoring.evaluating.truths import RELEASED, Truth

X = TypeVar("X")
Pager = Callable[[str | None, int], Listed[X]]  # after, limit -> a page


def misses(
    project: Project,
    benchmark: str,
    rater: Rater,
    *,
    labels: str = RELEASED,
    threshold: float | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Listed[Miss]:
    """Steps (of ProcessBench: solutions) on which a rater is wrong, by solution and position: of `limit` solutions,
    all of each. Raises Invalid."""
    whole = missed(project, benchmark, rater, labels=labels, threshold=threshold, kind=kind)
    return whole(after, limit)


def missed(
    project: Project,
    benchmark: str,
    rater: Rater,
    *,
    labels: str = RELEASED,
    threshold: float | None = None,
    kind: str | None = None,
) -> Pager[Miss]:
    """All of them: what gives the pages of `misses` one after the other, for less than asking anew."""
    truth, side = truth_of(project, benchmark), side_of(labels)
    held = _missed(project, benchmark, rater, truth, side, threshold)
    walk = Walk(project, truth.of(side), places.ids_of(held, kind))
    found = places.of_rater(project, rater, Cut(threshold), side)
    return lambda after, limit: walk.page(found, Miss, after, limit)


def _missed(
    project: Project, benchmark: str, rater: Rater, truth: Truth[Any], side: str, threshold: float | None
) -> dict[str, Held]:
    """Where a rater missed something. What is kept of it is ids alone."""
    cut = Cut(threshold)
    rules.check_cut(rater, cut)
    key = f"missed:{benchmark}:{rater.pk}:{side}:{threshold}:{truth.stamp}"
    found: dict[str, Held] = kept(
        project,
        key,
        lambda: places.where(truth.of(side), places.of_rater(project, rater, cut, side)),
    )
    return found


def n_misses(
    project: Project, benchmark: str, rater: Rater, *, labels: str = RELEASED, threshold: float | None = None
) -> dict[str, dict[str, Any]]:
    """Kind or subset -> {"n_items", "n_steps", "items": ids of the first 5,000 in the queue}. Raises Invalid."""
    truth, side = truth_of(project, benchmark), side_of(labels)
    key = f"n_misses:{benchmark}:{rater.pk}:{labels}:{threshold}"
    held = _missed(project, benchmark, rater, truth, side, threshold)
    found: dict[str, dict[str, Any]] = kept(project, key, lambda: places.n_missed(held))
    return found


def disagreements(
    project: Project,
    benchmark: str,
    a: Rater,
    b: Rater,
    *,
    labels: str = RELEASED,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Listed[Apart]:
    """Steps (of ProcessBench: solutions) of which two raters say different things, all of `limit` solutions. Raises
    Invalid."""
    truth, side = truth_of(project, benchmark), side_of(labels)
    found = places.of_two(project, a, b, (said.STORED, said.STORED), side)
    key = f"apart:{benchmark}:{a.pk}:{b.pk}:{side}:{truth.stamp}"
    held = kept(project, key, lambda: places.where(truth.of(side), found))
    return Walk(project, truth.of(side), places.ids_of(held, kind)).page(found, Apart, after, limit)


def moved_steps(
    project: Project, benchmark: str, *, kind: str | None = None, after: str | None = None, limit: int = 50
) -> Listed[Moved]:
    """The steps (of ProcessBench: solutions) whose label people changed, all of `limit` solutions. Raises Invalid."""
    return all_moved(project, benchmark, kind=kind)(after, limit)


def all_moved(project: Project, benchmark: str, *, kind: str | None = None) -> Pager[Moved]:
    """All of them, as `missed`."""
    truth = truth_of(project, benchmark)
    found = places.of_truths(truth)
    walk = Walk(project, truth.same, places.ids_of(places.where(truth.same, found), kind))
    return lambda after, limit: walk.page(found, Moved, after, limit)
