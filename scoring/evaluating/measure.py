"""One rater of a project on one benchmark: the file command's report, and what only a project knows beside it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from annotator.models import Project, Rater, RaterKind
from scoring.evaluating import profiles
from scoring.evaluating.asked import Asked
from scoring.evaluating.profiles import Answers, questions_of
from scoring.evaluating.said import STORED, Cut, Said, first_of, load, name_of, predictions
from scoring.evaluating.truths import BOTH, GOLD, RELEASED, SAME, Gold, Truth, check_labels, golds
from scoring.metrics import baselines, best_of_n, prmbench_report, processbench, readings
from scoring.metrics.confusion import Reading
from scoring.metrics.prmbench import CORRECT, Item
from scoring.metrics.processbench import Case

Report = dict[str, Any]


class Measuring:
    """A project's truth on one benchmark, against which several raters are measured."""

    def __init__(
        self,
        project: Project,
        benchmark: str,
        truth: Truth[Any],
        reading: Reading = "reference",
        draws: int = 0,
    ) -> None:
        self.project, self.benchmark, self.truth = project, benchmark, truth
        self.reading, self.draws = reading, draws
        self.answers = Answers(project, **{benchmark: truth})
        self._golds: dict[int, Gold] | None = None

    def report(
        self, rater: Rater, labels: str, cut: Cut = STORED, said: Mapping[int, Said] | None = None
    ) -> Report:
        """labels: RELEASED, GOLD, or BOTH for these and SAME in one. said: instead of what is stored."""
        check_labels(labels)
        said = load(self.project, rater) if said is None else said
        if labels != BOTH:
            return self.of(rater, said, labels, cut)
        parts = {"gold": GOLD, "released": SAME, "released_all": RELEASED}
        sides = {name: self.of(rater, said, which, cut) for name, which in parts.items()}
        n_items = len(asked_of(self.truth.released))
        return {"labels": BOTH, **sides, "n_gold": self.truth.n_gold, "n_items": n_items}

    def of(self, rater: Rater, said: Mapping[int, Said], labels: str, cut: Cut = STORED) -> Report:
        """The report of what a rater said, against one side's labels."""
        asked = mine(self.truth.of(labels), rater, said)
        return self.brief(rater, said, labels, cut) | {
            "baselines": baselines_of(self.benchmark, asked, self.reading),
            "profile": self._profile(asked, labels, said, cut),
        }

    def brief(self, rater: Rater, said: Mapping[int, Said], labels: str, cut: Cut = STORED) -> Report:
        """The same without what stands beside the numbers: no baselines, no profile."""
        asked = mine(self.truth.of(labels), rater, said)
        report = _REPORTS[self.benchmark](asked, said, cut, self.reading, self.draws)
        return report | {
            "benchmark": self.benchmark,
            "rater": name_of(rater),
            "labels": RELEASED if labels == SAME else labels,
            "threshold": cut.threshold,
            "score": SCORE[self.benchmark](report),
            "n_own": self._own(rater) if labels == GOLD else 0,
        }

    def _profile(
        self, asked: Sequence[Any], labels: str, said: Mapping[int, Said], cut: Cut
    ) -> dict[str, Any] | None:
        found = profiles.step_profile(asked, said)
        if found is None or self.benchmark == "prmbench":
            return found and found | {"inflation": None}
        return found | {"inflation": profiles.inflation(self.answers, labels, said, cut)}

    def _own(self, rater: Rater) -> int:
        """Of how many solutions a person made the gold, or agreed to it: that much they measure themselves."""
        if rater.kind != RaterKind.REVIEWER:
            return 0
        if self._golds is None:
            self._golds = golds(self.project)
        own, asked = load(self.project, rater), {pk for pk, _ in pks(self.truth.gold)}
        return sum(
            pk in asked and (one.rater == rater.pk or (one.is_agreed and pk in own))
            for pk, one in self._golds.items()
        )


SCORE: Final[Mapping[str, Callable[[Report], float | None]]] = {
    "prmbench": lambda report: report["overall"]["prm_score"],
    "processbench": lambda report: report["f1"],
    "best_of_n": lambda report: (report["prm@n"] or {}).get("product"),
}


def pks(asked: Sequence[Any]) -> list[tuple[int, Any]]:
    """(solution id, entry) of items and cases; of a question each response."""
    if asked and isinstance(asked[0], Asked):
        return [(pk, one) for one in asked for pk in one.solutions]
    return [(int(one.id), one) for one in asked]


def asked_of(asked: Sequence[Any]) -> list[Any]:
    """Without PRMBench's originals, which are no items of their own."""
    return [one for one in asked if not (isinstance(one, Item) and one.kind == CORRECT)]


def mine(asked: Sequence[Any], rater: Rater, said: Mapping[int, Said]) -> list[Any]:
    """What a rater was asked: of people only what they were given."""
    if rater.kind != RaterKind.REVIEWER:
        return list(asked)
    given = {id(one) for pk, one in pks(asked) if pk in said}
    return [one for one in asked if id(one) in given]


def baselines_of(benchmark: str, asked: Sequence[Any], reading: Reading) -> Report:
    """What needs no model, on the same solutions: name -> {"overall", "kinds"}."""
    if benchmark == "prmbench":
        return baselines.prmbench(asked, reading)
    if benchmark == "processbench":
        return baselines.processbench(asked)
    return baselines.best_of_n(one.question for one in asked)


def _prmbench(
    items: Sequence[Item], said: Mapping[int, Said], cut: Cut, reading: Reading, draws: int
) -> Report:
    found = predictions(said, cut)
    here = {item.id for item in items}
    told = {name: one for name, one in found.items() if name in here}
    report = prmbench_report.evaluate(items, told, reading, draws)
    both = readings.prmbench(items, told, report)
    return report | {"readings": both}


def cases_of(cases: Sequence[Case], said: Mapping[int, Said], cut: Cut = STORED) -> list[Case]:
    """The cases with what a rater said of each."""
    return [case._replace(prediction=first_of(said.get(int(case.id)), cut)) for case in cases]


def _processbench(
    cases: Sequence[Case], said: Mapping[int, Said], cut: Cut, reading: Reading, draws: int
) -> Report:
    predicted = cases_of(cases, said, cut)
    report = processbench.evaluate(predicted, draws)
    return report | {
        "n_items": len(cases),
        "n_absent": sum(int(case.id) not in said for case in cases),
        "wrong_process": processbench.wrong_process(predicted),
    }


def _best_of_n(
    asked: Sequence[Asked], said: Mapping[int, Said], cut: Cut, reading: Reading, draws: int
) -> Report:
    there = {pk for one in asked for pk in one.solutions}
    from_labels = not any(one.scores for pk, one in said.items() if pk in there)
    return best_of_n.evaluate(questions_of(asked, said), draws) | {
        "n_items": len(asked),
        "from_labels": from_labels,
    }


_REPORTS: Final[Mapping[str, Callable[..., Report]]] = {
    "prmbench": _prmbench, "processbench": _processbench, "best_of_n": _best_of_n,
}  # fmt: skip
