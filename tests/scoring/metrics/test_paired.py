"""Two raters on the same groups: against every exchange there is, and by hand."""

from itertools import product

import numpy as np
import pytest

from scoring.metrics.comparison import prmbench, two_truths
from scoring.metrics.confusion import Floats
from scoring.metrics.paired import WHOLE, Part, paired
from scoring.metrics.prmbench import Item, Prediction


def _share(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


PARTS = {"all": Part(WHOLE, _share)}


def test_p_is_the_share_of_exchanges_that_leave_them_as_far_apart() -> None:
    a = np.array([[3, 4], [4, 4], [2, 5], [5, 5], [3, 3]], dtype=float)
    b = np.array([[1, 4], [4, 4], [3, 5], [2, 5], [1, 3]], dtype=float)
    seen = abs(float(_share(a.sum(0)) - _share(b.sum(0))))
    hits = []
    for swap in product((0, 1), repeat=len(a)):
        side = np.array(swap, dtype=bool)[:, None]
        x, y = np.where(side, b, a).sum(0), np.where(side, a, b).sum(0)
        hits.append(abs(float(_share(x) - _share(y))) >= seen - 1e-12)
    found = paired(a, b, PARTS, draws=4_000)["all"]
    assert found.p == pytest.approx(np.mean(hits), abs=0.03)
    assert found.difference == pytest.approx(17 / 21 - 11 / 21)


def test_one_rater_twice_is_no_difference() -> None:
    a = np.array([[n % 3, 3] for n in range(30)], dtype=float)
    found = paired(a, a, PARTS, draws=200)["all"]
    assert (found.difference, found.low, found.high, found.p, found.n) == (0, 0, 0, 1, 30)


def test_the_sides_may_be_exchanged() -> None:
    generator = np.random.default_rng(1)
    a, b = (np.stack([generator.integers(0, 4, 40), np.full(40, 4)], 1).astype(float) for _ in range(2))
    one, other = paired(a, b, PARTS, draws=500)["all"], paired(b, a, PARTS, draws=500)["all"]
    assert one.difference == pytest.approx(-(other.difference or 0))
    assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)), abs=1e-6)
    assert one.p == pytest.approx(other.p)


def test_what_is_undefined_or_of_one_group_has_no_interval() -> None:
    nothing = paired(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]), PARTS)["all"]
    assert (nothing.a, nothing.b, nothing.difference, nothing.p) == (0.5, None, None, None)
    alone = paired(np.array([[1.0, 2.0]]), np.array([[2.0, 2.0]]), PARTS)["all"]
    assert (alone.difference, alone.low, alone.p, alone.n) == (-0.5, None, None, 1)


def _items(n: int) -> list[Item]:
    return [
        Item(str(k), "confidence" if k % 2 else "deception", 4, (2,), str(k), f"g{k // 2}") for k in range(n)
    ]


def test_a_better_rater_is_told_from_a_worse_one_in_every_part() -> None:
    items = _items(60)
    good = {item.id: Prediction("++-+") for item in items}
    bad = {item.id: Prediction("+++-" if int(item.id) % 5 else "++-+") for item in items}
    found = prmbench(items, good, bad, draws=300)
    assert found["overall"]["a"] == 100
    assert found["overall"]["interval"][0] > 0
    assert found["overall"]["p"] < 0.01
    assert set(found["parts"]) == {"confidence", "deception"}
    assert all(part["p"] < 0.01 and part["n"] == 30 for part in found["parts"].values())


def test_two_truths_of_one_rater() -> None:
    items = _items(20)
    said = {item.id: Prediction("++-+") for item in items}
    moved = [Item(i.id, i.kind, 4, (3,), i.base, i.group) if i.group == "g3" else i for i in items]
    found = two_truths(moved, items, said, draws=200)["overall"]
    assert found["b"] == 100
    # 18 of 20 as before; two items: one right step called wrong, one wrong step called right.
    assert found["a"] == pytest.approx(100 * (58 / 60 + 18 / 20) / 2)
    assert found["p"] == 1  # of one group alone, an exchange leaves the same difference
