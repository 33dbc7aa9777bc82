"""A project's raters on the three benchmarks: the way in for pages and commands. Reads only; in percent.

Whatever takes long is kept while nothing happens in the project, and never for more than 2 % of the time
(annotator/caching.py). Undefined values are None. The shapes are those of `manage.py benchmark --help`; docs/
benchmarks.md says what the numbers mean.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from django.db.models import Subquery, Sum

from annotator import errors
from annotator.caching import self_tuned
from annotator.models import Event, Project, Rater, Run
from scoring.evaluating import apart, asked, board, places, said, sweeping
from scoring.evaluating.from_files import Given
from scoring.evaluating.measure import Measuring, Report, asked_of
from scoring.evaluating.pages import Listed, Walk
from scoring.evaluating.places import Apart, Miss, Moved
from scoring.evaluating.said import Cut, Known, find_rater, load
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
    "BENCHMARKS", "BOTH", "GOLD", "LABELS", "READINGS", "RELEASED", "Apart", "Given", "Known", "Listed", "Miss",
    "Moved", "benchmarks", "compare", "confusion", "counts", "disagreements", "evaluate", "evaluate_file",
    "find_rater", "leaderboard", "misses", "moved", "moved_steps", "n_misses", "published", "raters", "sweep",
]  # fmt: skip

DRAWS: Final = 1_000
ALWAYS_FRESH_S: Final = 0.2
UNITS: Final = 10**9


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
    """{"n_items", "n_gold", "n_left_out": {why: n}}; of best_of_n the items are questions."""
    truth = _truth(project, benchmark)
    return {
        "n_items": len(asked_of(truth.released)),
        "n_gold": truth.n_gold,
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

    def compute() -> Report:
        sides = [apart.side(project, rater, cut) for rater, cut in zip((a, b), cuts, strict=True)]
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
    """Steps (of ProcessBench: solutions) on which a rater is wrong, by solution and position. Raises Invalid."""
    walk = Walk(_truth(project, benchmark).of(_side(labels)), kind, after, limit)
    return walk.page(project, places.of_rater(project, rater, Cut(threshold)), Miss)


def n_misses(
    project: Project, benchmark: str, rater: Rater, *, labels: str = RELEASED, threshold: float | None = None
) -> dict[str, dict[str, Any]]:
    """Kind or subset -> {"n_items", "n_steps", "items": ids of the first 5,000 in the queue}. Raises Invalid."""
    truth, side = _truth(project, benchmark), _side(labels)
    key = f"n_misses:{benchmark}:{rater.pk}:{labels}:{threshold}"
    found: dict[str, dict[str, Any]] = _kept(
        project, key, lambda: places.n_missed(truth.of(side), load(project, rater), Cut(threshold))
    )
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
    """Steps (of ProcessBench: solutions) of which two raters say different things. Raises Invalid."""
    walk = Walk(_truth(project, benchmark).of(_side(labels)), kind, after, limit)
    return walk.page(project, places.of_two(project, a, b, (said.STORED, said.STORED)), Apart)


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
    """The steps (of ProcessBench: solutions) whose label people changed. Raises Invalid."""
    truth = _truth(project, benchmark)
    return Walk(truth.same, kind, after, limit).page(project, places.of_truths(truth), Moved)


def sweep(
    project: Project,
    benchmark: str,
    rater: Rater,
    *,
    labels: str = RELEASED,
    reading: str = "reference",
    draws: int = DRAWS,
) -> Report:
    """The threshold of a scoring rater, chosen on one part and reported on the other. Raises Invalid."""
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
    found: Truth[Any] = _kept(project, f"truth:{benchmark}", lambda: asked.truth(project, benchmark))
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
