"""The report as a table: one row a statistic."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotator.core.spreadsheet import harmless

HEAD = ("slice", "value", "between", "unit", "statistic", "estimate", "low", "high", "n", "why")
SLICES = {"kinds": "kind", "blind_shows": "shows", "guidelines": "guideline", "weeks": "week"}


def table(data: Mapping[str, Any], by: str = "") -> Iterator[list[str]]:
    """Rows of cells, the first the names of the columns. data: see `reports.agreement`.

    slice, value: what part of the project. between: "people", "injector", or two raters. unit: "step" or
    "solution". An undefined estimate is empty, and why says why. by: only the slices of this name.
    """
    yield list(HEAD)
    for name, value, between, said in _groups(data):
        if by in ("", name):
            for unit, statistic, found in _statistics(said):
                yield [name, harmless(value), harmless(between), unit, statistic, *_cells(found)]


def _groups(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for side in ("people", "injector"):
        yield "all", "", side, data[side]
        for place in data["positions"]:
            last = "" if place["to"] is None else place["to"]
            yield "position", f"{place['from']} to {last}".strip(), side, place[side]
        for key, name in {**SLICES, "meta": "meta"}.items():
            for value, sides in data.get(key, {}).items():
                yield name, value, side, sides[side]
    for one in (*data["pairs"], *data["machine_pairs"]):
        yield "raters", "", " × ".join(one["raters"]), one
    for one in data["raters"]:
        yield "raters", "", f"people × {one['rater']}", one


def _statistics(said: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, found in said.items():
        if name == "solution":
            yield from (("solution", inner, one) for inner, one in found.items())
        elif isinstance(found, dict):
            whole = name.startswith(("first_error", "wrong_steps"))
            yield "solution" if whole else "step", name, found


def _cells(found: Mapping[str, Any]) -> list[str]:
    interval = found["interval"]
    numbers = (
        "" if number is None else repr(number)
        for number in (found["value"], interval["low"], interval["high"])
    )
    return [*numbers, str(found["n"]), found["why"] or interval["why"]]
