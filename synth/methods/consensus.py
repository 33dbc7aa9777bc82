"""Where two raters name the same first error: the filter of arXiv 2501.07301, for a judge (a) and rollouts (b).

A solution is kept if both name the same first error or both find none. Where one of them is unparsed (None) or does
not know (UNKNOWN), the two cannot be compared, and the solution stands outside the kept share. First errors are
0-based positions or codes of core.labels. Everything is counted as it comes: memory does not grow with the rows.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from annotator.core.labels import NO_ERROR, UNKNOWN, labels_from_first_error

Agreement = Literal["kept", "apart", "not_comparable"]
Key = TypeVar("Key")

# Lengths of solutions, in steps, that a table is cut by: each band begins where the one before ends.
BANDS: Final = (4, 8, 12, 20)


def compare(a: int | None, b: int | None) -> Agreement:
    """Say what two first errors amount to. None: that rater's reply could not be read, or there is none.

    Raises ValueError for what is neither a position nor a code.
    """
    for first in (a, b):
        if first is not None and first < 0 and first not in (NO_ERROR, UNKNOWN):
            raise ValueError(f"{first} is no first error")
    if a is None or b is None or UNKNOWN in (a, b):
        return "not_comparable"
    return "kept" if a == b else "apart"


def labels(a: int | None, b: int | None, n_steps: int) -> str | None:
    """Return the labels of a kept solution ('+' before the error, '-' at it, '.' after); None if it is not kept.

    Raises ValueError where the error is not in a solution of `n_steps` steps.
    """
    if a is None or compare(a, b) != "kept":
        return None
    return labels_from_first_error(a, n_steps)


@dataclass
class Table:
    """How often a and b agree. The cells of the 2×2 of finding none or some; `both_some` is same + differ.

    offsets: where both name an error, how many steps a's is after b's → how often; 0 is agreement.
    """

    both_none: int = 0
    only_a: int = 0
    only_b: int = 0
    not_comparable: int = 0
    offsets: Counter[int] = field(default_factory=Counter)

    def add(self, a: int | None, b: int | None) -> None:
        """Count one solution."""
        if compare(a, b) == "not_comparable" or a is None or b is None:
            self.not_comparable += 1
        elif a == b == NO_ERROR:
            self.both_none += 1
        elif b == NO_ERROR:
            self.only_a += 1
        elif a == NO_ERROR:
            self.only_b += 1
        else:
            self.offsets[a - b] += 1

    @property
    def same(self) -> int:
        """How often both name the same first error."""
        return self.offsets[0]

    @property
    def both_some(self) -> int:
        return self.offsets.total()

    @property
    def differ(self) -> int:
        """How often both name an error, at different steps."""
        return self.both_some - self.same

    @property
    def comparable(self) -> int:
        return self.both_none + self.only_a + self.only_b + self.both_some

    @property
    def kept(self) -> int:
        return self.both_none + self.same

    @property
    def kept_share(self) -> float | None:
        """Kept of comparable; None if there is nothing to compare."""
        return self.kept / self.comparable if self.comparable else None


def tally(pairs: Iterable[tuple[int | None, int | None]]) -> Table:
    """Count the first errors of a and b, one pair a solution."""
    table = Table()
    for a, b in pairs:
        table.add(a, b)
    return table


def tally_by(rows: Iterable[tuple[Key, int | None, int | None]]) -> dict[Key, Table]:
    """Count (group, first error of a, of b) by group, in the order in which groups first come."""
    tables: dict[Key, Table] = {}
    for key, a, b in rows:
        tables.setdefault(key, Table()).add(a, b)
    return tables


def band(n_steps: int) -> str:
    """Name the band of lengths that a solution falls into: "1–4", "5–8", …, "21 or more" steps."""
    low = 1
    for high in BANDS:
        if n_steps <= high:
            return f"{low}–{high}"
        low = high + 1
    return f"{low} or more"


def in_bands(tables: dict[str, Table]) -> dict[str, Table]:
    """Return tables that are keyed by band, shortest solutions first."""
    return dict(sorted(tables.items(), key=lambda row: int(row[0].replace("–", " ").split()[0])))
