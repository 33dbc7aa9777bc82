"""A project's raters on the three benchmarks: the way in for pages and commands. Reads only; in percent.

Whatever takes long is kept while nothing happens in the project, and never for more than 2 % of the time
(annotator/caching.py). Undefined values are None. The shapes are those of `manage.py benchmark --help`; docs/
benchmarks.md says what the numbers mean.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final, TypeVar

from django.db.models import Subquery, Sum

from annotator import errors
from annotator.caching import self_tuned
from annotator.models import Event, Project, Rater, Run
from scoring.evaluating import apart, asked, board, places, rules, said, sweeping
from scoring.evaluating.from_files import Given
from scoring.evaluating.measure import Measuring, Report, asked_of
from scoring.evaluating.pages import Listed, Walk
from scoring.evaluating.places import Apart, Held, Miss, Moved
from scoring.evaluating.rules import can_cut
from scoring.evaluating.said import Cut, Known, find_rater
from scoring.evaluating.truths import (
    BENCHMARKS,
    BOTH,
    GOLD,
    LABELS,
    RELEASED,
    SAME,
    Truth,
    check_benchmark,
    check_labels,
)
from scoring.metrics.confusion import READINGS, Reading

__all__ = [
    "BENCHMARKS",
    "BOTH",
    "GOLD",
    "LABELS",
    "READINGS",
    "RELEASED",
    "Apart",
    "Given",
    "Known",
    "Listed",
    "Miss",
    "Moved",
    "Pager",
    "all_moved",
    "benchmarks",
    "can_cut",
    "compare",
    "confusion",
    "counts",
    "disagreements",
    "evaluate",
    "evaluate_file",
    "find_rater",
    "leaderboard",
    "missed",
    "misses",
    "moved",
    "moved_steps",
    "n_misses",
    "published",
    "raters",
    "sweep",
]  # fmt: skip

DRAWS: Final = 1_000
ALWAYS_FRESH_S: Final = 0.2
UNITS: Final = 10**9
X = TypeVar("X")
Pager = Callable[[str | None, int], Listed[X]]  # after, limit -> a page


def benchmarks(project: Project) -> list[str]:
    """What the project can be measured as; [] for nothing."""
    found: list[str] = _kept(project, "benchmarks", lambda: asked.benchmarks(project))
    return found


def raters(project: Project, benchmark: str) -> list[Known]:
    """Who can be measured: machines whose labels did not come with the data, then people."""
    check_benchmark(benchmark)
    found: list[Known] = _kept(
        project, f"raters:{benchmark}", lambda: board.measurable(_by(project, benchmark))
    )
    return found


def counts(project: Project, benchmark: str) -> dict[str, Any]:
    """{"n_items", "n_gold", "n_under_review", "n_left_out": {why: n}}; of best_of_n the items are questions.

    n_gold: of those with released labels too. n_under_review: of these those that were sent to one more review; until
    they are decided anew, the gold they had counts.
    """
    truth = _truth(project, benchmark)
    return {
        "n_items": len(asked_of(truth.released)),
        "n_gold": truth.n_gold,
        "n_under_review": truth.n_under_review,
        "n_left_out": truth.left_out,
    }


def evaluate(
    project: Project,
    benchmark: str,
    rater: Rater,
    *,
    labels: str = RELEASED,
    threshold: float | None = None,
    redundancy_threshold: float | None = None,
    reading: str = "reference",
    draws: int = DRAWS,
) -> Report:
    """One rater's report. threshold, redundancy_threshold: cut its scores there, instead of its stored labels.

    labels: RELEASED, GOLD, or BOTH: {"labels", "gold", "released" (of the same solutions and steps),
    "released_all", "n_gold", "n_items"}. Raises Invalid.
    """
    _check(benchmark, labels)
    by = _asking(project, benchmark, reading, draws)
    cut = Cut(threshold, redundancy_threshold)
    rules.check_cut(rater, cut)
    key = f"report:{benchmark}:{rater.pk}:{labels}:{cut.threshold}:{cut.redundancy}:{reading}:{draws}"
    found: Report = _kept(project, key, lambda: by.report(rater, labels, cut))
    return found


def evaluate_file(
    project: Project,
    benchmark: str,
    given: Given,
    *,
    labels: str = RELEASED,
    threshold: float | None = None,
    redundancy_threshold: float | None = None,
    reading: str = "reference",
    draws: int = DRAWS,
) -> Report:
    """The report of a result file that is not brought in (`from_files.read`), as `evaluate`; nothing is kept. Its
    counts stand beside it. Raises Invalid."""
    _check(benchmark, labels)
    by = _asking(project, benchmark, reading, draws)
    report = by.report(given.rater, labels, Cut(threshold, redundancy_threshold), given.said)
    return report | {"n_unknown": given.n_unknown, "n_repeated_results": given.n_repeated}


def leaderboard(
    project: Project, benchmark: str, *, reading: str = "reference", draws: int = DRAWS
) -> Report:
    """Raters on all labels, and on gold beside the released labels of the same steps; baselines, papers' rows."""
    by = _by(project, benchmark, reading, draws)
    about, stamp = f"{benchmark}:{reading}:{draws}", _stamp(project)

    def kept(key: str, compute: Callable[[], Any]) -> Any:
        return _kept(project, f"{about}:{key}", compute, stamp)

    return board.leaderboard(by, kept)


def published(benchmark: str, table: str | None = None) -> Report:
    """The papers' rows alone: {"source", "tables", "rows", "averages", "people"}. Raises Invalid."""
    check_benchmark(benchmark)
    return board.published_rows(benchmark, table)


def compare(
    project: Project,
    benchmark: str,
    a: Rater,
    b: Rater,
    *,
    labels: str = RELEASED,
    reading: str = "reference",
    thresholds: tuple[float | None, float | None] = (None, None),
    draws: int = DRAWS,
) -> Report:
    """Two raters on what both labelled: each difference with its interval and p. Raises Invalid."""
    by, which = _asking(project, benchmark, reading), _side(labels)
    cuts = (Cut(thresholds[0]), Cut(thresholds[1]))
    for rater, cut in zip((a, b), cuts, strict=True):
        rules.check_cut(rater, cut)

    def compute() -> Report:
        sides = [apart.side(project, rater, cut, which) for rater, cut in zip((a, b), cuts, strict=True)]
        return apart.compare(by, sides[0], sides[1], which, draws)

    key = f"compare:{benchmark}:{a.pk}:{b.pk}:{labels}:{reading}:{thresholds}:{draws}"
    found: Report = _kept(project, key, compute)
    return found


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
    truth, side = _truth(project, benchmark), _side(labels)
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
    found: dict[str, Held] = _kept(
        project,
        key,
        lambda: places.where(truth.of(side), places.of_rater(project, rater, cut, side)),
    )
    return found


def n_misses(
    project: Project, benchmark: str, rater: Rater, *, labels: str = RELEASED, threshold: float | None = None
) -> dict[str, dict[str, Any]]:
    """Kind or subset -> {"n_items", "n_steps", "items": ids of the first 5,000 in the queue}. Raises Invalid."""
    truth, side = _truth(project, benchmark), _side(labels)
    key = f"n_misses:{benchmark}:{rater.pk}:{labels}:{threshold}"
    held = _missed(project, benchmark, rater, truth, side, threshold)
    found: dict[str, dict[str, Any]] = _kept(project, key, lambda: places.n_missed(held))
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
    truth, side = _truth(project, benchmark), _side(labels)
    found = places.of_two(project, a, b, (said.STORED, said.STORED), side)
    key = f"apart:{benchmark}:{a.pk}:{b.pk}:{side}:{truth.stamp}"
    held = _kept(project, key, lambda: places.where(truth.of(side), found))
    return Walk(project, truth.of(side), places.ids_of(held, kind)).page(found, Apart, after, limit)


def confusion(project: Project, a: Rater, b: Rater) -> Report:
    """What two raters say of the steps that both judge: {"marks", "table", "n_solutions", "n_steps", "first_error"}."""
    key = f"confusion:{a.pk}:{b.pk}"
    found: Report = _kept(
        project, key, lambda: apart.confusion(apart.side(project, a), apart.side(project, b))
    )
    return found


def moved(project: Project, benchmark: str, *, reading: str = "reference", draws: int = DRAWS) -> Report:
    """What people changed of the released labels, and what that does to each rater. Raises Invalid."""
    by = _by(project, benchmark, reading)
    found: Report = _kept(project, f"moved:{benchmark}:{reading}:{draws}", lambda: board.moved(by, draws))
    return found


def moved_steps(
    project: Project, benchmark: str, *, kind: str | None = None, after: str | None = None, limit: int = 50
) -> Listed[Moved]:
    """The steps (of ProcessBench: solutions) whose label people changed, all of `limit` solutions. Raises Invalid."""
    return all_moved(project, benchmark, kind=kind)(after, limit)


def all_moved(project: Project, benchmark: str, *, kind: str | None = None) -> Pager[Moved]:
    """All of them, as `missed`."""
    truth = _truth(project, benchmark)
    found = places.of_truths(truth)
    walk = Walk(project, truth.same, places.ids_of(places.where(truth.same, found), kind))
    return lambda after, limit: walk.page(found, Moved, after, limit)


def sweep(
    project: Project,
    benchmark: str,
    rater: Rater,
    *,
    labels: str = RELEASED,
    reading: str = "reference",
    draws: int = DRAWS,
) -> Report:
    """The threshold of a scoring rater, chosen on one part and reported on the other. Raises Invalid, also for one
    whose labels are no cut of its scores."""
    rules.check_cut(rater, Cut(0.0))
    by, which = _asking(project, benchmark, reading), _side(labels)
    key = f"sweep:{benchmark}:{rater.pk}:{labels}:{reading}:{draws}"
    found: Report = _kept(project, key, lambda: sweeping.sweep(by, rater, which, draws))
    return found


def _by(project: Project, benchmark: str, reading: str = "reference", draws: int = 0) -> Measuring:
    if reading not in READINGS:
        raise errors.Invalid(f"Choose a reading: {', '.join(READINGS)}.", field="reading")
    read: Reading = "strict" if reading == "strict" else "reference"
    return Measuring(project, benchmark, _truth(project, benchmark), read, draws)


def _asking(project: Project, benchmark: str, reading: str = "reference", draws: int = 0) -> Measuring:
    """The same, and Invalid where the project asks nothing of the kind."""
    by = _by(project, benchmark, reading, draws)
    if not by.truth.released and not by.truth.gold:
        raise errors.Invalid(f"This project has no solutions to measure as {benchmark}.", field="benchmark")
    return by


def _truth(project: Project, benchmark: str) -> Truth[Any]:
    check_benchmark(benchmark)
    stamp = _stamp(project)

    def read() -> Truth[Any]:
        return replace(asked.truth(project, benchmark), stamp=stamp)

    found: Truth[Any] = _kept(project, f"truth:{benchmark}", read, stamp)
    return found


def _check(benchmark: str, labels: str) -> None:
    check_labels(labels)
    if benchmark == "best_of_n" and labels != RELEASED:
        message = (
            "Best-of-N asks for final answers, and people label steps: there is no gold. Choose released."
        )
        raise errors.Invalid(message, field="labels")


def _side(labels: str) -> str:
    if labels not in (RELEASED, GOLD, SAME):
        raise errors.Invalid(f"Choose one side's labels: {RELEASED} or {GOLD}.", field="labels")
    return labels


def _kept(project: Project, key: str, compute: Callable[[], Any], stamp: int | None = None) -> Any:
    """stamp: the project's, where it is known already."""
    name = f"evaluations:{project.pk}:{sha256(key.encode()).hexdigest()}"
    stamp = _stamp(project) if stamp is None else stamp
    return self_tuned(name, compute, stamp=stamp, always_fresh_s=ALWAYS_FRESH_S)


def _stamp(project: Project) -> int | None:
    """A number that changes with whatever may change a report: events, and the units that runs have done, since a
    run writes an event only when it begins and ends. None while nothing has happened."""
    done = (
        Run.objects.filter(project=project).order_by().values("project").annotate(n=Sum("n_done")).values("n")
    )
    newest = Event.objects.filter(project=project).order_by("-id").annotate(done=Subquery(done))
    found = newest.values_list("id", "done").first()
    return found and found[0] * UNITS + (found[1] or 0) % UNITS
