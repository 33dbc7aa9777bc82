"""Two machines beside each other on a project: where each finds the first error. Rows in, columns and counts out.

The filter of arXiv 2501.07301, section 3.3, as a view: a consensus run writes labels, this only counts. Reads only.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from annotator import errors
from annotator.caching import self_tuned
from annotator.core.intervals import wilson
from annotator.core.labels import NO_ERROR, UNKNOWN
from annotator.models import Annotation, Phase, Project, Rater, RaterKind
from annotator.reports import slices
from synth.machines import subjects
from synth.methods import consensus, crossing, estimates
from synth.methods.crossing import UNREAD, Cell, Ints

CHUNK: Final = 5_000
ALWAYS_FRESH_S: Final = 0.2
FURTHEST: Final = 8  # steps apart; what is further is counted there
SOURCE, LENGTH, META = "source", "length", slices.META
WRONG_ANSWER: Final = "none_but_wrong"
CELLS: Final[Mapping[str, tuple[Cell, ...]]] = {
    "all": tuple(Cell),
    "kept": (Cell.BOTH_NONE, Cell.SAME),
    "apart": (Cell.ONLY_A, Cell.ONLY_B, Cell.DIFFER),
    "both_none": (Cell.BOTH_NONE,),
    "only_a": (Cell.ONLY_A,),
    "only_b": (Cell.ONLY_B,),
    "same": (Cell.SAME,),
    "differ": (Cell.DIFFER,),
    "not_comparable": (Cell.NOT_COMPARABLE,),
    WRONG_ANSWER: tuple(Cell),
}


class Compared(NamedTuple):
    """Solutions that both have judged, ascending; each column is of them.

    wrong: the final answer is known to be wrong.  place: which of `values` a solution has, in the slice asked for.
    keys: of `meta`, by which it can be sliced.  n_only_a, n_only_b: judged by one of them alone.
    n_unscored: of no known shares, so that they have no label at the threshold.
    """

    solution: Ints
    a: Ints
    b: Ints
    wrong: NDArray[np.bool_]
    place: Ints
    values: list[str]
    keys: list[str]
    n_only_a: int
    n_only_b: int
    n_unscored: int

    def ids(self, cell: str, offset: int | None = None, value: str | None = None) -> Ints:
        """The ids of solutions in a cell of CELLS, so many steps apart, with a value of the slice."""
        found = np.isin(crossing.cells(self.a, self.b), CELLS[cell])
        if cell == WRONG_ANSWER:
            found &= self.wrong & ((self.a == NO_ERROR) | (self.b == NO_ERROR))
        if offset is not None:
            apart = np.clip(self.a - self.b, -FURTHEST, FURTHEST)
            found &= (self.a >= 0) & (self.b >= 0) & (apart == offset)
        if value is not None:
            found &= self.place == (self.values.index(value) if value in self.values else -1)
        return self.solution[found]


def machines(project: Project) -> list[Rater]:
    """Machines that have judged something here, the newest first."""
    said = _said(project).filter(rater=OuterRef("pk"))
    return list(Rater.objects.exclude(kind=RaterKind.REVIEWER).filter(Exists(said)).order_by("-pk"))


def no_threshold(rater: Rater) -> str:
    """Why there are no labels at another threshold; "" where there may be."""
    if rater.kind != RaterKind.ROLLOUTS:
        return "only rollouts have shares"
    if rater.spec.get("early_stop"):
        return "its draws ended at the first success, so only whether any was right is known"
    return ""


def current(
    project: Project, a: Rater, b: Rater, *, by: str = SOURCE, threshold: float | None = None
) -> Compared:
    """`compared`, kept for at most 2 % of the time."""
    name = f"consensus:{project.pk}:{a.pk}:{b.pk}:{threshold}:{by.encode().hex()[:180]}"
    return self_tuned(
        name, lambda: compared(project, a, b, by=by, threshold=threshold), always_fresh_s=ALWAYS_FRESH_S
    )


def compared(
    project: Project, a: Rater, b: Rater, *, by: str = SOURCE, threshold: float | None = None
) -> Compared:
    """Read both raters' first errors. by: source, length or meta:KEY. threshold: of rollouts among the two.

    Raises Invalid for a threshold that no rollouts here have, or for another slice.
    """
    _check(a, b, by, threshold)
    sides = [_firsts(project, rater, threshold) for rater in (a, b)]
    alone, rows, keys = [0, 0], list[tuple[int, bool, Any]](), set[str]()
    for pk, n_steps, own, of_problem in _solutions(project):
        has = [pk in side for side in sides]
        if all(has):
            rows.append((pk, own.get("final_answer_correct") is False, _value(by, n_steps, own, of_problem)))
            if len(rows) <= slices.LOOKED_AT:
                keys |= {
                    key for meta in (own, of_problem) for key, one in meta.items() if slices.is_plain(one)
                }
        elif any(has):
            alone[has.index(True)] += 1
    place, values = _placed([value for *_, value in rows], is_length=by == LENGTH)
    ids = [pk for pk, *_ in rows]
    first, second = (_column(side, ids) for side in sides)
    return Compared(
        solution=np.array(ids, dtype=np.int64),
        a=first,
        b=second,
        wrong=np.array([wrong for _, wrong, _ in rows], dtype=np.bool_),
        place=place,
        values=values,
        keys=sorted(keys)[: slices.MOST_KEYS],
        n_only_a=alone[0],
        n_only_b=alone[1],
        n_unscored=sum(any(side[pk] is None for side in sides) for pk in ids),
    )


def _check(a: Rater, b: Rater, by: str, threshold: float | None) -> None:
    if by not in (SOURCE, LENGTH) and not by.startswith(META):
        raise errors.Invalid("There is no such slice.", field="by")
    if threshold is None:
        return
    why = [no_threshold(rater) for rater in (a, b) if rater.kind == RaterKind.ROLLOUTS] or [no_threshold(a)]
    if any(why):
        raise errors.Invalid(f"There is no other threshold: {next(filter(None, why))}.", field="threshold")
    if not 0 < threshold <= 1:
        raise errors.Invalid("A threshold is above 0 and at most 1.", field="threshold")


def _said(project: Project) -> QuerySet[Annotation]:
    return Annotation.objects.filter(
        solution__project=project, phase=Phase.MACHINE, superseded_at__isnull=True
    ).order_by()


def _firsts(project: Project, rater: Rater, threshold: float | None) -> dict[int, int | None]:
    """Solution -> first error; None where a threshold was asked for and the shares are not known."""
    rows = _said(project).filter(rater=rater)
    if threshold is None or rater.kind != RaterKind.ROLLOUTS:
        said = rows.values_list("solution", "first_error", "is_parsed").iterator(CHUNK)
        return {pk: first if is_parsed else UNREAD for pk, first, is_parsed in said}
    stored = rows.values_list("solution", "is_parsed", "scores", "unit__result").iterator(500)
    return {
        pk: _at(threshold, scores, result) if is_parsed else UNREAD
        for pk, is_parsed, scores, result in stored
    }


def _at(threshold: float, scores: list[float] | None, result: str | None) -> int | None:
    """The first error at a threshold, from what the unit drew, or from shares that were imported."""
    found = json.loads(result) if result else {}
    if "prefixes" in found:
        return None if found["early_stop"] else estimates.first_error_stored(found, threshold)
    if scores is None:
        return None
    return next((at for at, share in enumerate(scores) if share < threshold), NO_ERROR)


def _solutions(project: Project) -> Iterator[tuple[int, int, dict[str, Any], dict[str, Any]]]:
    rows = subjects.solutions(project).order_by("pk").values_list("pk", "n_steps", "meta", "problem__meta")
    return rows.iterator(CHUNK)


def _value(by: str, n_steps: int, own: Mapping[str, Any], of_problem: Mapping[str, Any]) -> Any:
    if by == LENGTH:
        return consensus.band(n_steps)
    key = by.removeprefix(META)
    value = own.get(key, of_problem.get(key))
    return value if slices.is_plain(value) else None


def _placed(values: list[Any], is_length: bool) -> tuple[Ints, list[str]]:
    """Each value's place among the titles of values, and these."""
    title = (
        {band: band for band in consensus.in_bands(dict.fromkeys(values, consensus.Table()))}
        if is_length
        else slices.titles(values)
    )
    words = list(dict.fromkeys(title.values()))
    place_of = {word: n for n, word in enumerate(words)}
    return np.fromiter((place_of[title[value]] for value in values), dtype=np.int32, count=len(values)), words


def _column(side: Mapping[int, int | None], ids: Iterable[int]) -> Ints:
    firsts = (side[pk] for pk in ids)
    return np.fromiter((UNKNOWN if first is None else first for first in firsts), dtype=np.int32)


def report(found: Compared) -> dict[str, Any]:
    """The counts as JSON values. offsets: [steps that a's first error is after b's, how often], where both name one;
    what is FURTHEST away or further stands together."""
    return {
        "all": part(found, np.ones(len(found.solution), dtype=np.bool_)),
        "slices": {value: part(found, found.place == n) for n, value in enumerate(found.values)},
        "n_only_a": found.n_only_a,
        "n_only_b": found.n_only_b,
        "n_unscored": found.n_unscored,
        "n_none_but_wrong": len(found.ids(WRONG_ANSWER)),
        "keys": found.keys,
    }


def part(found: Compared, which: NDArray[np.bool_]) -> dict[str, Any]:
    table = crossing.table(found.a[which], found.b[which])
    names = ("both_none", "only_a", "only_b", "same", "differ", "not_comparable", "comparable", "kept")
    low, high, why = wilson(table.kept, table.comparable)
    share = {
        "value": table.kept_share, "n": table.comparable, "why": why and "there is nothing to compare",
        "interval": {"low": low, "high": high, "why": why},
    }  # fmt: skip
    counts = {name: getattr(table, name) for name in names}
    return {"n": int(which.sum()), **counts, "kept_share": share, "offsets": _offsets(table)}


def _offsets(table: consensus.Table) -> list[tuple[int, int]]:
    gathered = dict.fromkeys(range(-FURTHEST, FURTHEST + 1), 0)
    for apart, n in table.offsets.items():
        gathered[max(-FURTHEST, min(FURTHEST, apart))] += n
    return list(gathered.items())
