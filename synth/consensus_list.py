"""The solutions behind the consensus page's numbers: a page of them, or all as a table; and the counts as a table."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from annotator.blinding import undecided
from annotator.core.labels import NO_ERROR, UNKNOWN
from annotator.core.spreadsheet import harmless
from annotator.models import Item, Solution
from annotator.views.paging import PAGE
from synth.comparing import Compared
from synth.methods.crossing import UNREAD, Cell, Ints, cells

HEAD: Final = 140  # characters of a problem in a list
CHUNK: Final = 500
HIDDEN: Final = "under review"  # the item's page tells, and costs the slot
CODES: Final = {NO_ERROR: "none", UNKNOWN: "unknown", UNREAD: "not readable"}
ANSWERS: Final = {True: "right", False: "wrong"}
COUNTS: Final = (
    "n",
    "comparable",
    "kept",
    "both_none",
    "same",
    "differ",
    "only_a",
    "only_b",
    "not_comparable",
)


class Row(NamedTuple):
    """A solution. a, b: first errors in words, steps from 1; HIDDEN while it is under review.  apart: steps of a's
    after b's, None where not both name one.  answer: right, wrong or "".  item: of the queue, None where it is in none.
    """

    solution: int
    foreign_id: str
    problem: str
    n_steps: int
    a: str
    b: str
    apart: int | None
    answer: str
    item: int | None

    @property
    def apart_words(self) -> str:
        return f"{self.apart:+d}".replace("-", "−") if self.apart else "0"


class Listed(NamedTuple):
    """A page of rows; last: where the next one begins after, None on the last page."""

    rows: list[Row]
    last: int | None


def shorten(text: str) -> str:
    return text if len(text) <= HEAD else f"{text[:HEAD].rstrip()} …"


def page(found: Compared, ids: Ints, after: int | None) -> Listed:
    """The page of `ids`, ascending, that comes after a solution."""
    start = int(np.searchsorted(ids, after, side="right")) if after is not None else 0
    here = ids[start : start + PAGE]
    return Listed(list(_rows(found, here)), int(here[-1]) if start + PAGE < len(ids) else None)


def _rows(found: Compared, ids: Ints) -> Iterator[Row]:
    """Four queries, whatever the number of rows."""
    pks = ids.tolist()
    rows = Solution.objects.filter(pk__in=pks).select_related("problem").defer("extra").in_bulk()
    items = dict(
        Item.objects.filter(solution__in=pks, retired=False).order_by("-pk").values_list("solution", "pk")
    )
    hidden = undecided(pks)
    for pk, a, b in _said(found, ids):
        solution = rows.get(pk)
        if solution is None:  # taken away since it was counted
            continue
        answer = ANSWERS.get(solution.meta.get("final_answer_correct"), "")
        said = (HIDDEN, HIDDEN) if pk in hidden else (_word(a), _word(b))
        apart = a - b if a >= 0 and b >= 0 and pk not in hidden else None
        yield Row(
            pk, solution.foreign_id, shorten(solution.problem.text), solution.n_steps, *said, apart, answer,
            items.get(pk),
        )  # fmt: skip


def _said(found: Compared, ids: Ints) -> Iterator[tuple[int, int, int]]:
    places = np.searchsorted(found.solution, ids)
    return zip(ids.tolist(), found.a[places].tolist(), found.b[places].tolist(), strict=True)


def _word(first: int) -> str:
    return CODES.get(first, f"step {first + 1}")


def table(found: Compared, ids: Ints) -> Iterator[list[Any]]:
    """All of them; steps count from 0, and a first error that is none says why."""
    yield ["solution", "id", "cell", "a_first_error", "b_first_error", "offset"]
    for start in range(0, len(ids), CHUNK):
        here = ids[start : start + CHUNK]
        foreign = dict(Solution.objects.filter(pk__in=here.tolist()).values_list("pk", "foreign_id"))
        places = np.searchsorted(found.solution, here)
        cell = cells(found.a[places], found.b[places]).tolist()
        hidden = undecided(here.tolist())
        for (pk, a, b), code in zip(_said(found, here), cell, strict=True):
            if pk in hidden:
                yield [pk, harmless(foreign.get(pk, "")), HIDDEN, HIDDEN, HIDDEN, None]
                continue
            offset = a - b if a >= 0 and b >= 0 else None
            said = [CODES.get(first, first) for first in (a, b)]
            yield [pk, harmless(foreign.get(pk, "")), Cell(code).name.lower(), *said, offset]


def counts(report: Mapping[str, Any], by: str) -> Iterator[list[Any]]:
    """One row a value of the slice, all together first."""
    yield ["slice", "value", *COUNTS, "kept_share", "low", "high"]
    for value, part in [("", report["all"]), *report["slices"].items()]:
        share = part["kept_share"]
        ends = share["interval"]["low"], share["interval"]["high"]
        name = "all" if part is report["all"] else by
        yield [harmless(name), harmless(value), *(part[one] for one in COUNTS), share["value"], *ends]
