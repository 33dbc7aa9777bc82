"""Best-of-N: which of N sampled responses a rater would pick (arXiv 2501.07301, sections 2 and 4; PRMBench's
mr_eval/tasks/prmbench_bon). In percent; undefined is None.

A response's score is its step scores put together: product, minimum, mean or last. Of equal scores the first
response wins. A product is a sum of logarithms, so that a hundred steps do not round to nothing; of scores that are no
shares it means nothing, and is undefined. The headline is the product then no more, but the minimum.

PRMBench's own rule shifts every score of a question by its minimum less 0.01 before the product: `shifted`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, inf, isfinite, log
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.intervals import bootstrap

Floats = NDArray[np.float64]
Scores = Sequence[float]


class Response(NamedTuple):
    """One sampled answer. answer: the final answer as a text that equal answers share, "" for none.
    scores: a number a step, None where the rater gave none."""

    answer: str
    is_right: bool
    scores: Scores | None


class Question(NamedTuple):
    """A question's N responses in the order sampled. greedy_is_right: whether the response decoded greedily is, None
    where the data does not say. group: of the problem, the unit that intervals draw; "": the question itself."""

    id: str
    dataset: str
    responses: Sequence[Response]
    greedy_is_right: bool | None = None
    group: str = ""


def product(scores: Scores) -> float:
    """The logarithm of the product: it orders responses as the product does. A score of 0 or less is -inf."""
    return sum(log(score) if score > 0 else -inf for score in scores)


def mean(scores: Scores) -> float:
    return sum(scores) / len(scores)


def last(scores: Scores) -> float:
    return scores[-1]


AGGREGATES: Final[Mapping[str, Callable[[Scores], float]]] = {
    "product": product, "min": min, "mean": mean, "last": last,
}  # fmt: skip


def headline(questions: Iterable[Question]) -> str:
    """The aggregate to report first: the papers' product, or the minimum where scores are no shares, 0..1."""
    return "product" if _are_shares(questions) else "min"


def _are_shares(questions: Iterable[Question]) -> bool:
    """Whether every score is from 0 to 1, so that they can be multiplied."""
    given = (response.scores for question in questions for response in question.responses if response.scores)
    return all(min(scores) >= 0 and max(scores) <= 1 for scores in given)


def evaluate(questions: Iterable[Question], draws: int = 0, by: str = "") -> dict[str, Any]:
    """Return accuracies per dataset and their unweighted means. draws: of problem groups, for an interval of prm@n
    by the headline; 0 for none. by: the headline's aggregate, "" for what `headline` says.

    n: responses a question, None where questions differ. A question of which no response has scores counts
    for what needs none alone, and is counted in n_unscored; where no response has an answer, a majority is wrong.
    The gain compares the same questions on both sides: those with scores.
    """
    by_dataset: defaultdict[str, list[Question]] = defaultdict(list)
    for question in (everything := list(questions)):
        by_dataset[question.dataset].append(question)
    first, are_shares = by or headline(everything), _are_shares(everything)
    datasets = {name: _of_dataset(asked, first, are_shares) for name, asked in by_dataset.items()}
    sizes = {len(question.responses) for asked in by_dataset.values() for question in asked}
    report = {
        "n": sizes.pop() if len(sizes) == 1 else None,
        "headline": first,
        **_means(list(datasets.values())),
        "n_unscored": sum(values["n_unscored"] for values in datasets.values()),
        "datasets": datasets,
    }
    return report | ({"interval": _interval(by_dataset, draws, first)} if draws else {})


def _interval(by_dataset: Mapping[str, Sequence[Question]], draws: int, by: str) -> list[float | None]:
    everything = [question for some in by_dataset.values() for question in some]
    sums = by_group(everything, list(by_dataset), numbered(everything), by)
    low, high, _ = bootstrap(sums, mean_hit, draws=draws)
    return [None if end is None else 100 * end for end in (low, high)]


def numbered(questions: Iterable[Question]) -> dict[str, int]:
    """Each problem group with a number from 0 on, in the order of their names."""
    return {group: n for n, group in enumerate(sorted({q.group or q.id for q in questions}))}


def by_group(
    questions: Iterable[Question], datasets: Sequence[str], number: Mapping[str, int], by: str = "product"
) -> Floats:
    """What each problem group adds to prm@n by an aggregate, float (groups, 2 a dataset): questions whose pick is
    right, and questions with scores."""
    sums = np.zeros((len(number), 2 * len(datasets)))
    column = {name: 2 * n for n, name in enumerate(datasets)}
    for question in questions:
        at = pick(question.responses, by) if question.dataset in column else None
        if at is not None:
            row = number[question.group or question.id]
            sums[row, column[question.dataset]] += question.responses[at].is_right
            sums[row, column[question.dataset] + 1] += 1
    return sums


def mean_hit(sums: Floats) -> Floats:
    """The unweighted mean over datasets of the share of right picks, 0..1."""
    parts = sums.reshape(*sums.shape[:-1], -1, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (parts[..., 0] / parts[..., 1]).mean(axis=-1)
    return means


def pick(responses: Sequence[Response], aggregate: str) -> int | None:
    """The place of the response with the highest score, the first of equal ones; None where none has scores."""
    scored = [(at, response.scores) for at, response in enumerate(responses) if response.scores]
    if not scored:
        return None
    if aggregate == "shifted":
        return _pick_shifted(scored)
    combine = AGGREGATES[aggregate]
    return max(scored, key=lambda one: (combine(one[1]), -one[0]))[0]


def majority(responses: Sequence[Response]) -> int | None:
    """The first response with the answer that most give; of equally many answers the one met first."""
    return _heaviest(responses, [1.0] * len(responses))


def weighted_majority(responses: Sequence[Response], aggregate: str) -> int | None:
    """The first response with the answer whose responses' scores add up to most (products as such)."""
    if not any(response.scores for response in responses):
        return None
    values = [AGGREGATES[aggregate](response.scores) if response.scores else None for response in responses]
    if aggregate != "product":
        return _heaviest(responses, [value or 0.0 for value in values])
    # Against the largest, so that long solutions do not all round to nothing.
    most = max((value for value in values if value is not None), default=-inf)
    least = most if isfinite(most) else 0.0
    return _heaviest(responses, [0.0 if value is None else exp(value - least) for value in values])


def _heaviest(responses: Sequence[Response], weights: Sequence[float]) -> int | None:
    total: defaultdict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    for at, (response, weight) in enumerate(zip(responses, weights, strict=True)):
        if response.answer:
            total[response.answer] += weight
            first.setdefault(response.answer, at)
    return first[max(total, key=lambda answer: total[answer])] if total else None


def _pick_shifted(scored: Sequence[tuple[int, Scores]]) -> int:
    least = min(min(scores) for _, scores in scored) - 0.01
    return max(scored, key=lambda one: (product([score - least for score in one[1]]), -one[0]))[0]


def _of_dataset(questions: Sequence[Question], first: str, are_shares: bool) -> dict[str, Any]:
    best: dict[str, float | None] = {
        name: _accuracy(questions, lambda q, name=name: pick(q.responses, name))  # type: ignore[misc]
        for name in (*AGGREGATES, "shifted")
    }
    weighted = {name: _weighted_accuracy(questions, name) for name in AGGREGATES}
    if not are_shares:
        best["product"] = weighted["product"] = None
    scored = [q for q in questions if any(response.scores for response in q.responses)]
    common = _majority_accuracy(scored)
    return {
        "headline": first,
        "prm@n": best,
        "maj@n": _majority_accuracy(questions),
        "weighted_maj@n": weighted,
        "pass@n": _share([any(response.is_right for response in q.responses) for q in questions]),
        "greedy": _greedy(questions),
        "gain": {name: _less(value, common) for name, value in best.items()},
        "n_questions": len(questions),
        "n_unscored": len(questions) - len(scored),
        "n_unscored_responses": sum(not response.scores for q in questions for response in q.responses),
    }


def _accuracy(questions: Sequence[Question], choose: Callable[[Question], int | None]) -> float | None:
    """Over the questions of which something can be chosen."""
    chosen = [(question, choose(question)) for question in questions]
    return _share([q.responses[at].is_right for q, at in chosen if at is not None])


def _majority_accuracy(questions: Sequence[Question]) -> float | None:
    """Over all questions: one without any answer is one that no majority gets right."""
    chosen = [(question, majority(question.responses)) for question in questions]
    return _share([at is not None and q.responses[at].is_right for q, at in chosen])


def _weighted_accuracy(questions: Sequence[Question], aggregate: str) -> float | None:
    """Over the questions with scores, as `_majority_accuracy`."""
    scored = [q for q in questions if any(response.scores for response in q.responses)]
    chosen = [(question, weighted_majority(question.responses, aggregate)) for question in scored]
    return _share([at is not None and q.responses[at].is_right for q, at in chosen])


def _greedy(questions: Sequence[Question]) -> float | None:
    known = [q.greedy_is_right for q in questions if q.greedy_is_right is not None]
    return _share(known) if len(known) == len(questions) else None


def _share(hits: Sequence[bool]) -> float | None:
    return 100 * sum(hits) / len(hits) if hits else None


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _means(datasets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Unweighted means over datasets; undefined where one of them is."""
    names = ("prm@n", "maj@n", "weighted_maj@n", "pass@n", "greedy", "gain")
    return {name: _mean_of([values[name] for values in datasets]) for name in names}


def _mean_of(values: Sequence[Any]) -> Any:
    if values and isinstance(values[0], dict):
        return {key: _mean_of([value[key] for value in values]) for key in values[0]}
    return sum(values) / len(values) if values and None not in values else None
