"""Batches and shared prefixes: nothing lost, nothing computed twice, no padding."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.prm import batching

TEXTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=9), min_size=1, max_size=8)


def prefixes(texts: list[list[int]]) -> set[tuple[int, ...]]:
    return {tuple(text[: n + 1]) for text in texts for n in range(len(text))}


@given(TEXTS, st.booleans(), st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_each_token_of_each_text_is_found_behind_its_own_past(texts, share, least):
    trees = batching.forest(texts, share, least)
    for text, row in zip(texts, trees.rows, strict=True):
        assert trees.ids[row].tolist() == text
        assert trees.places[row].tolist() == list(range(len(text)))
    for segment in trees.segments:
        past = [*batching.spans(segment.before), *range(segment.start, segment.end)]
        assert any(row[: len(past)].tolist() == past for row in trees.rows)
    ends = [segment.end for segment in trees.segments]
    assert [segment.start for segment in trees.segments] == [0, *ends[:-1]]
    assert ends[-1] == trees.n_computed == len(trees.places)


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_with_sharing_each_prefix_is_computed_once(texts):
    assert batching.forest(texts, share=True, least=1).n_computed == len(prefixes(texts))
    assert batching.forest(texts, share=False).n_computed == sum(map(len, texts))


def test_a_short_prefix_is_computed_again():
    alike = [5] * (batching.LEAST_SHARED - 1)
    assert batching.forest([[*alike, 1], [*alike, 2]]).n_computed == 2 * batching.LEAST_SHARED
    longer = [*alike, 5]
    assert batching.forest([[*longer, 1], [*longer, 2]]).n_computed == batching.LEAST_SHARED + 2


def test_a_text_within_another_and_the_same_text_twice_cost_nothing():
    text = list(range(40))
    trees = batching.forest([text, text[:30], text])
    assert (trees.n_computed, trees.n_useful, len(trees.segments)) == (40, 110, 2)


def made(seed: int, n_groups: int = 12) -> tuple[list[list[int]], list[int]]:
    """Some texts a group, that begin alike for a while."""
    chance = random.Random(seed)
    texts, groups = [], []
    for group in range(n_groups):
        root = [chance.randrange(100) for _ in range(chance.randint(30, 200))]
        for _ in range(chance.randint(1, 5)):
            kept = root[: chance.randint(1, len(root))]
            texts.append([*kept, *(chance.randrange(100) for _ in range(chance.randint(1, 90)))])
            groups.append(group)
    return texts, groups


@pytest.mark.parametrize("budget", [50, 400, 2_000, 10**6])
@pytest.mark.parametrize("share", [True, False])
def test_packed_batches_hold_every_text_once_within_the_budget(budget, share):
    texts, groups = made(budget)
    batches = batching.packed(texts, groups, budget, share)
    assert sorted(k for batch in batches for k in batch.members) == list(range(len(texts)))
    for batch in batches:
        mine = [texts[k] for k in batch.members]
        assert batch.n_useful == sum(map(len, mine))
        assert batch.n_computed <= budget or len(mine) == 1
        assert batching.forest(mine, share).n_computed <= batch.n_computed
        assert len(mine[0]) == max(map(len, mine))


def test_a_group_stays_together_where_it_fits():
    texts, groups = made(3)
    batches = batching.packed(texts, groups, 1_500)
    homes = [{groups[k] for k in batch.members} for batch in batches]
    assert sum(map(len, homes)) == len(set(groups))


def test_the_group_with_the_longest_text_comes_first():
    texts, groups = made(4)
    first = batching.packed(texts, groups, 1_000)[0]
    longest = max(range(len(texts)), key=lambda k: len(texts[k]))
    assert groups[first.members[0]] == groups[longest]


def test_padded_batches_are_sorted_and_within_the_budget():
    texts, _ = made(5, 60)
    batches = batching.padded(texts, 2_000)
    lengths = [len(texts[k]) for batch in batches for k in batch.members]
    assert lengths == sorted(lengths, reverse=True)
    assert all(batch.n_computed <= 2_000 for batch in batches)
    assert sorted(k for batch in batches for k in batch.members) == list(range(len(texts)))


def test_padding_is_what_is_computed_over_what_is_useful():
    texts = [[1] * n for n in (10, 20, 5, 5)]
    assert batching.padding(batching.in_file_order(texts, 2)) == pytest.approx(50 / 40 - 1)
    assert batching.padding(batching.packed(texts, range(4), 100)) == 0
    assert batching.padding([]) is None


def test_lengths_as_prmbenchs_are_padded_under_two_percent_when_sorted():
    chance = random.Random(6)
    texts = [[1] * min(4_022, max(60, int(chance.lognormvariate(6.016, 0.672)))) for _ in range(2_000)]
    assert batching.padding(batching.in_file_order(texts, 8)) > 0.6
    assert batching.padding(batching.padded(texts, 16_384)) < 0.02


def test_a_batchs_name_follows_from_its_members_alone():
    assert batching.key_of(["a", "b"]) == batching.key_of(["a", "b"])
    assert len({batching.key_of(names) for names in (["a", "b"], ["ab"], ["a\nb"], ["b", "a"], [])}) == 5
