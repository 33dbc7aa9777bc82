"""Parts of a project's ratings: of one kind, guideline version, week, or value of a `meta` key."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from annotator.core.coefficients import Ints
from annotator.models import Project, Solution
from annotator.reports.loading import Loaded

MOST_VALUES = 40  # of a meta key; the rest is one part
MOST_KEYS = 60
LOOKED_AT = 500  # solutions, for their keys
BINS = 5
MANY_NUMBERS = 12  # different numbers, from which they are put into bins
NONE, REST = "", "(the rest)"
META = "meta:"

# Steps, 0-based: each of the first ten for itself, then together.
POSITIONS = [slice(n, n + 1) for n in range(10)] + [slice(10, 15), slice(15, 20), slice(20, None)]


class Part(NamedTuple):
    """A value and an index array of the people's ratings that have it."""

    value: str
    which: Ints


def parts(loaded: Loaded, place: Ints, words: list[str]) -> list[Part]:
    """place: int (ratings,), the place of a rating's value in `words`."""
    people = loaded.people
    return [Part(word, which) for n, word in enumerate(words) if len(which := people[place[people] == n])]


def weeks(loaded: Loaded) -> list[Part]:
    """By the week in which the last rating of a unit was made: before it there was nothing to compare."""
    people = loaded.people
    _, index = np.unique(loaded.unit[people], return_inverse=True)
    last = np.full(int(index.max(initial=-1)) + 1, -1)
    np.maximum.at(last, index, loaded.week[people])
    place = np.full(len(loaded.week), -1)
    place[people] = last[index]
    return parts(loaded, place, loaded.words["week"])


def meta_keys(loaded: Loaded) -> list[str]:
    """Keys whose value is one word or number, of the solutions that were rated first and their problems."""
    some = np.unique(loaded.columns.solution[loaded.people])[:LOOKED_AT].tolist()
    rows = Solution.objects.filter(pk__in=some).values_list("meta", "problem__meta")
    keys = {key for both in rows for meta in both for key, value in meta.items() if is_plain(value)}
    return sorted(keys)[:MOST_KEYS]


def by_meta(project: Project, loaded: Loaded, key: str) -> list[Part]:
    """By what a solution, or else its problem, has under a key of `meta`; "" for none. Many different numbers
    are put into bins of about the same size."""
    rated = set(loaded.columns.solution[loaded.people].tolist())
    value_of = dict(_values(project, key, rated))
    title = titles(list(value_of.values()))
    words = list(dict.fromkeys(title.values()))
    place_of = {value: words.index(word) for value, word in title.items()}
    found = (place_of.get(value_of.get(one), -1) for one in loaded.columns.solution.tolist())
    place = np.fromiter(found, dtype=np.int64)
    return parts(loaded, place, words)


def _values(project: Project, key: str, rated: set[int]) -> Iterator[tuple[int, Any]]:
    rows = Solution.objects.filter(project=project).values_list("pk", "meta", "problem__meta")
    for pk, own, of_problem in rows.iterator(2_000):
        if pk in rated:
            value = own.get(key, of_problem.get(key))
            yield pk, value if is_plain(value) else None


def is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def titles(values: list[Any]) -> dict[Any, str]:
    """Value -> what it is called, in the order in which they are shown."""
    found = Counter(values)
    none = {None: NONE} if found.pop(None, 0) else {}
    numbers = [v for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(found) > MANY_NUMBERS:
        return _bins(sorted(found.elements())) | none
    common = [value for value, _ in found.most_common(MOST_VALUES)]
    shown = {value: str(value) for value in (sorted(common) if len(numbers) == len(found) else common)}
    return shown | dict.fromkeys(found.keys() - set(common), REST) | none


def _bins(values: list[Any]) -> dict[Any, str]:
    """values: ascending, with repeats."""
    edges = sorted({values[len(values) * n // BINS] for n in range(1, BINS)})
    place = np.searchsorted(edges, values, side="right")
    named: dict[Any, str] = {}
    for n in range(len(edges) + 1):
        here = [value for value, at in zip(values, place.tolist(), strict=True) if at == n]
        if here:
            named |= dict.fromkeys(here, f"{here[0]:g} to {here[-1]:g}")
    return named
