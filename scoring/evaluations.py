"""A project's raters on the three benchmarks: the way in for pages and commands. Reads only; in percent.

Whatever takes long is kept while nothing happens in the project, and never for more than 2 % of the time
(annotator/caching.py). Undefined values are None. The shapes are those of `manage.py benchmark --help`; docs/
benchmarks.md says what the numbers mean.
"""

from collections.abc import Callable
from typing import Any, Final

from annotator import errors
from annotator.models import Project, Rater
from scoring.evaluating import apart, asked, board, rules, sweeping
from scoring.evaluating.from_files import Given
from scoring.evaluating.kept import kept, side_of, stamp_of, truth_of
from scoring.evaluating.lists import Pager, all_moved, disagreements, missed, misses, moved_steps, n_misses
from scoring.evaluating.measure import Measuring, Report, asked_of
from scoring.evaluating.pages import Listed
from scoring.evaluating.places import Apart, Miss, Moved
from scoring.evaluating.rules import can_cut
from scoring.evaluating.said import Cut, Known, find_rater
from scoring.evaluating.truths import (
    BENCHMARKS,
    BOTH,
    GOLD,
    LABELS,
    RELEASED,
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


def benchmarks(project: Project) -> list[str]:
    """What the project can be measured as; [] for nothing."""
    found: list[str] = kept(project, "benchmarks", lambda: asked.benchmarks(project))
    return found


def raters(project: Project, benchmark: str) -> list[Known]:
    """Who can be measured: machines whose labels did not come with the data, then people."""
    check_benchmark(benchmark)
    found: list[Known] = kept(
        project, f"raters:{benchmark}", lambda: board.measurable(_by(project, benchmark))
    )
    return found


def counts(project: Project, benchmark: str) -> dict[str, Any]:
    """{"n_items", "n_gold", "n_under_review", "n_left_out": {why: n}}; of best_of_n the items are questions.

    n_gold: of those with released labels too. n_under_review: of these those that were sent to one more review; until
    they are decided anew, the gold they had counts.
    """
    truth = truth_of(project, benchmark)
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
    found: Report = kept(project, key, lambda: by.report(rater, labels, cut))
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
    about, stamp = f"{benchmark}:{reading}:{draws}", stamp_of(project)

    def keep(key: str, compute: Callable[[], Any]) -> Any:
        return kept(project, f"{about}:{key}", compute, stamp)

    return board.leaderboard(by, keep)


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
    by, which = _asking(project, benchmark, reading), side_of(labels)
    cuts = (Cut(thresholds[0]), Cut(thresholds[1]))
    for rater, cut in zip((a, b), cuts, strict=True):
        rules.check_cut(rater, cut)

    def compute() -> Report:
        sides = [apart.side(project, rater, cut, which) for rater, cut in zip((a, b), cuts, strict=True)]
        return apart.compare(by, sides[0], sides[1], which, draws)

    key = f"compare:{benchmark}:{a.pk}:{b.pk}:{labels}:{reading}:{thresholds}:{draws}"
    found: Report = kept(project, key, compute)
    return found


def confusion(project: Project, a: Rater, b: Rater) -> Report:
    """What two raters say of the steps that both judge: {"marks", "table", "n_solutions", "n_steps", "first_error"}."""
    key = f"confusion:{a.pk}:{b.pk}"
    found: Report = kept(
        project, key, lambda: apart.confusion(apart.side(project, a), apart.side(project, b))
    )
    return found


def moved(project: Project, benchmark: str, *, reading: str = "reference", draws: int = DRAWS) -> Report:
    """What people changed of the released labels, and what that does to each rater. Raises Invalid."""
    by = _by(project, benchmark, reading)
    found: Report = kept(project, f"moved:{benchmark}:{reading}:{draws}", lambda: board.moved(by, draws))
    return found


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
    by, which = _asking(project, benchmark, reading), side_of(labels)
    key = f"sweep:{benchmark}:{rater.pk}:{labels}:{reading}:{draws}"
    found: Report = kept(project, key, lambda: sweeping.sweep(by, rater, which, draws))
    return found


def _by(project: Project, benchmark: str, reading: str = "reference", draws: int = 0) -> Measuring:
    if reading not in READINGS:
        raise errors.Invalid(f"Choose a reading: {', '.join(READINGS)}.", field="reading")
    read: Reading = "strict" if reading == "strict" else "reference"
    return Measuring(project, benchmark, truth_of(project, benchmark), read, draws)


def _asking(project: Project, benchmark: str, reading: str = "reference", draws: int = 0) -> Measuring:
    """The same, and Invalid where the project asks nothing of the kind."""
    by = _by(project, benchmark, reading, draws)
    if not by.truth.released and not by.truth.gold:
        raise errors.Invalid(f"This project has no solutions to measure as {benchmark}.", field="benchmark")
    return by


def _check(benchmark: str, labels: str) -> None:
    check_labels(labels)
    if benchmark == "best_of_n" and labels != RELEASED:
        message = (
            "Best-of-N asks for final answers, and people label steps: there is no gold. Choose released."
        )
        raise errors.Invalid(message, field="labels")
