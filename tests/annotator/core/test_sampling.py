import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.sampling import shuffled, stratified


def test_a_tenth_of_each_kind_rounded_up() -> None:
    things = (
        [(n, "circular") for n in range(30)] + [(n, "deception") for n in range(100, 131)] + [(999, "rare")]
    )
    drawn = stratified(things, ".10", seed=7)
    assert {kind: len(found) for kind, found in drawn.items()} == {"circular": 3, "deception": 4, "rare": 1}


@given(st.lists(st.integers(), unique=True, max_size=40), st.integers(0, 5))
def test_the_order_of_meeting_does_not_matter(things: list[int], seed: int) -> None:
    assert shuffled(things, seed) == shuffled(things[::-1], seed)


def test_another_seed_draws_others() -> None:
    things = [(n, "") for n in range(1000)]
    a, b = (set(stratified(things, 0.1, seed)[""]) for seed in (1, 2))
    assert len(a) == len(b) == 100
    assert len(a & b) < 30  # a tenth of a tenth is expected: 10


def test_what_stays_keeps_its_place() -> None:
    whole = shuffled(range(100), 3)
    assert [n for n in whole if n % 2] == shuffled(range(1, 100, 2), 3)


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_no_other_share(share: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        stratified([(1, "")], share, 0)
