"""One rater of a project on one benchmark: the file command's report, and what only a project knows beside it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from annotator.models import Project, Rater, RaterKind
from scoring.evaluating import profiles, rules
from scoring.evaluating.asked import Asked
from scoring.evaluating.profiles import Answers, questions_of
from scoring.evaluating.said import STORED, Cut, Said, first_of, is_blind, load, name_of, predictions
from scoring.evaluating.truths import BOTH, GOLD, RELEASED, SAME, VERIFIED, Gold, Truth, check_labels, golds
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
        self._said: tuple[tuple[int | None, bool], Mapping[int, Said]] | None = None

    def report(
        self, rater: Rater, labels: str, cut: Cut = STORED, said: Mapping[int, Said] | None = None
    ) -> Report:
        """labels: RELEASED, GOLD, or BOTH for these and SAME in one. said: instead of what is stored."""
        check_labels(labels)
        if labels != BOTH:
            return self.of(rater, self.words(rater, labels) if said is None else said, labels, cut)
        parts = {"gold": VERIFIED, "released": SAME, "released_all": RELEASED}
        sides = {
            name: self.of(rater, self.words(rater, which) if said is None else said, which, cut)
            for name, which in parts.items()
        }
        n_items = len(asked_of(self.truth.released))
        return {"labels": BOTH, **sides, "n_gold": self.truth.n_gold, "n_items": n_items}

    def words(self, rater: Rater, labels: str) -> Mapping[int, Said]:
        """What a rater said, as it is held against one side's labels; the same rater is not read twice on end."""
        key = (rater.pk, rater.kind == RaterKind.REVIEWER and is_blind(labels))
        if self._said is None or self._said[0] != key:
            self._said = (key, load(self.project, rater, blind=key[1]))
        return self._said[1]

    def of(self, rater: Rater, said: Mapping[int, Said], labels: str, cut: Cut = STORED) -> Report:
        """The report of what a rater said, against one side's labels."""
        asked = self.asked_of(rater, said, labels)
        return self.brief(rater, said, labels, cut) | {
            "baselines": baselines_of(self.benchmark, asked, self.reading),
            "profile": self._profile(rater, asked, labels, said, cut),
        }

    def brief(self, rater: Rater, said: Mapping[int, Said], labels: str, cut: Cut = STORED) -> Report:
        """The same without what stands beside the numbers: no baselines, no profile."""
        asked = self.asked_of(rater, said, labels)
        if self.benchmark == "best_of_n":
            report = _best_of_n(asked, said, self.draws, rules.aggregate(rater))
        else:
            report = _REPORTS[self.benchmark](asked, said, cut, self.reading, self.draws)
        return report | {
            "benchmark": self.benchmark,
            "rater": name_of(rater),
            "labels": CALLED.get(labels, labels),
            "threshold": cut.threshold,
            "score": SCORE[self.benchmark](report),
            "n_own": len(self._own(rater, said) & {pk for pk, _ in pks(asked_of(self.truth.of(labels)))})
            if labels in LEFT_OUT
            else 0,
        }

    def asked_of(self, rater: Rater, said: Mapping[int, Said], labels: str) -> list[Any]:
        """What a rater is held against on one side: of people what they were given, less what they decided."""
        asked = self.truth.of(labels)
        if rater.kind != RaterKind.REVIEWER:
            return list(asked)
        own = self._own(rater, said) if labels in LEFT_OUT else set()
        given = {id(one) for pk, one in pks(asked) if pk in said and pk not in own}
        return [one for one in asked if id(one) in given]

    def _profile(
        self, rater: Rater, asked: Sequence[Any], labels: str, said: Mapping[int, Said], cut: Cut
    ) -> dict[str, Any] | None:
        found = profiles.step_profile(asked, said)
        if found is None or self.benchmark == "prmbench":
            return found and found | {"inflation": None}
        return found | {
            "inflation": profiles.inflation(self.answers, labels, said, cut, rules.aggregate(rater))
        }

    def _own(self, rater: Rater, said: Mapping[int, Said]) -> set[int]:
        """Solutions of which a person made the gold, or agreed to it: there they would be held against themselves."""
        if rater.kind != RaterKind.REVIEWER:
            return set()
        if self._golds is None:
            self._golds = golds(self.project)
        return {
            pk for pk, one in self._golds.items() if one.rater == rater.pk or (one.is_agreed and pk in said)
        }


SCORE: Final[Mapping[str, Callable[[Report], float | None]]] = {
    "prmbench": lambda report: report["overall"]["prm_score"],
    "processbench": lambda report: report["f1"],
    "best_of_n": lambda report: (report["prm@n"] or {}).get(report["headline"]),
}
CALLED: Final = {SAME: RELEASED, VERIFIED: GOLD}
LEFT_OUT: Final = (SAME, VERIFIED, GOLD)  # where people are not held against their own decisions


def pks(asked: Sequence[Any]) -> list[tuple[int, Any]]:
    """(solution id, entry) of items and cases; of a question each response."""
    if asked and isinstance(asked[0], Asked):
        return [(pk, one) for one in asked for pk in one.solutions]
    return [(int(one.id), one) for one in asked]


def asked_of(asked: Sequence[Any]) -> list[Any]:
    """Without PRMBench's originals, which are no items of their own."""
    return [one for one in asked if not (isinstance(one, Item) and one.kind == CORRECT)]


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


def _best_of_n(asked: Sequence[Asked], said: Mapping[int, Said], draws: int, by: str) -> Report:
    there = {pk for one in asked for pk in one.solutions}
    from_labels = not any(one.scores for pk, one in said.items() if pk in there)
    return best_of_n.evaluate(questions_of(asked, said), draws, by) | {
        "n_items": len(asked),
        "from_labels": from_labels,
    }


_REPORTS: Final[Mapping[str, Callable[..., Report]]] = {"prmbench": _prmbench, "processbench": _processbench}
