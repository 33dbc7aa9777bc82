import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import align as A
from annotator.core.align import Op, Pair, align, beside, describe, pieces, word_diff

# Few words, so that equal, similar and moved steps are common.
steps = st.lists(
    st.lists(st.sampled_from(["so", "x", "$x = 3$", "is", "the sum", "7"]), max_size=4).map(" ".join),
    max_size=8,
)
wordings = st.lists(
    st.sampled_from(["1. ", "Step 2. ", "so", " ", "\n", "x", "$x = 3$", "$5", ", ", "7"]), max_size=12
).map("".join)


def brief(pairs):
    """The pairs as text: = equal, ~ changed, + inserted, - deleted, > moved; positions old, new."""
    signs = dict(zip(Op, "=~+->/", strict=True))
    return " ".join(signs[p.op] + "".join(str(n) for n in (p.old, p.new) if n is not None) for p in pairs)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [], ""),
        (["a"], [], "-0"),
        ([], ["a"], "+0"),
        (["a", "b"], ["a", "b"], "=00 =11"),
        (["1. a", "2. b"], ["Step 1. a", "Step 2: b "], "=00 =11"),  # numbers and space do not count
        (["5. That's it"], ["1. Add.", "6. That's it"], "+0 =01"),
        (["a", "b", "c"], ["a", "c"], "=00 -1 =21"),
        (["a", "c"], ["a", "b", "c"], "=00 +1 =12"),
        (["a", "b", "c"], ["a", "qqqq", "c"], "=00 -1 +1 =22"),  # nothing alike: removed, and a new one
        (["x = 1 so y = 2"], ["x = 1 so y = 3"], "~00"),
        # of two in a gap the more similar is taken, not the first that would do
        (["x = 1 so y = 2"], ["x = 1 so no y at all", "x = 1 so y = 3"], "+0 ~01"),
        # similar, but out of order: one pair only, as one cannot have both in order
        (["aaaaaa 1", "bbbbbb 1"], ["bbbbbb 2", "aaaaaa 2"], "-0 ~10 +1"),
        (["a", "b", "c"], ["c", "a", "b"], ">20 =01 =12"),
        (["a", "b", "a"], ["b", "a", "a"], ">10 =01 =22"),
        (["a", ""], ["a", "", ""], "=00 =11 +2"),
    ],
)
def test_align(old, new, expected):
    assert brief(align(old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "op"),
    [
        ("aabb", "aacc", Op.CHANGED),  # 2·2 of 8 characters in common: just 0.5
        ("aabbb", "aaccc", Op.INSERTED),  # 2·2 of 10: 0.4
    ],
)
def test_a_step_is_a_new_wording_from_half_on(old, new, op):
    assert align([old], [new])[-1].op is op


@given(steps, steps)
def test_every_position_stands_in_one_pair(old, new):
    pairs = align(old, new)
    assert sorted(p.old for p in pairs if p.old is not None) == list(range(len(old)))
    assert [p.new for p in pairs if p.new is not None] == list(range(len(new)))


@given(steps, steps)
def test_each_op_means_what_it_says(old, new):
    for op, i, j in align(old, new):
        assert (i is None, j is None) == (op is Op.INSERTED, op is Op.DELETED)
        if i is not None and j is not None:
            assert (old[i] == new[j]) == (op in (Op.EQUAL, Op.MOVED))


@given(steps, steps)
def test_old_positions_ascend_but_for_moved_steps(old, new):
    in_place = [p.old for p in align(old, new) if p.op is not Op.MOVED and p.old is not None]
    assert in_place == sorted(in_place)


@given(steps, steps)
def test_no_equal_steps_are_left_apart(old, new):
    pairs = align(old, new)
    gone = {old[p.old] for p in pairs if p.op is Op.DELETED}
    assert not gone & {new[p.new] for p in pairs if p.op is Op.INSERTED}


@given(steps)
def test_a_solution_equals_itself(old):
    numbered = [f"{n}. {step}" for n, step in enumerate(old, 1)]
    assert A.changed(align(old, numbered)) == []


def test_a_gap_of_very_many_steps_is_compared_place_by_place():
    old, new = [f"the old step {n}" for n in range(200)], [f"the new step {n}" for n in range(200)]
    assert align(old, new) == [Pair(Op.CHANGED, n, n) for n in range(200)]


def test_long_steps_take_no_time_to_speak_of():
    old = [f"{n} " + "ab" * 10_000 for n in range(20)]
    new = [f"{n} " + "ac" * 10_000 for n in range(20)]
    start = time.process_time()
    align(old, new)
    A.word_diff(" ".join("abc" * 3_000), " ".join("acb" * 3_000))
    assert time.process_time() - start < 2  # about 0.05 s


@pytest.mark.parametrize(
    ("step", "bare"),
    [
        ("1. So", "So"),
        ("12.\nSo", "So"),
        ("Step 3. So", "So"),
        ("step 3:  So", "So"),
        (" 2. So", "So"),
        ("1. ", ""),
        ("1.5 is more", "1.5 is more"),
        ("29.", "29."),
        ("Step 3 is wrong", "Step 3 is wrong"),
        ("1. Step 1. So", "Step 1. So"),  # once is enough
        ("So 1. x", "So 1. x"),
    ],
)
def test_strip_number(step, bare):
    assert A.strip_number(step) == bare


@given(steps, steps)
def test_stored_pairs_come_back(old, new):
    pairs = align(old, new)
    assert A.load(json.loads(json.dumps(A.dump(pairs)))) == pairs


def test_what_is_stored():
    pairs = align(["a", "b", "c"], ["c", "a", "qqqq"])
    assert A.dump(pairs) == [["m", 2, 0], ["e", 0, 1], ["d", 1, None], ["i", None, 2]]


@pytest.mark.parametrize("row", [["x", 0, 0], [None, 0, 0], ["e", "0", 0]])
def test_load_refuses_what_dump_cannot_have_written(row):
    with pytest.raises(ValueError, match="not a stored pair"):
        A.load([row])


def test_changed_steps():
    pairs = align(["a", "b", "x = 1 so y = 2", "c"], ["c", "a", "x = 1 so y = 3", "qqqq"])
    assert brief(pairs) == ">30 =01 -1 ~22 +3"
    assert A.changed(pairs) == [0, 2, 3]


def _pairs(text):
    """Undo `brief`, for one-digit positions."""
    ops = dict(zip("=~+->/", Op, strict=True))
    made = []
    for sign, *digits in text.split():
        first, last = int(digits[0]), int(digits[-1])
        made.append(Pair(ops[sign], None if sign == "+" else first, None if sign == "-" else last))
    return made


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ("=00 =11", "No step differs from the original."),
        ("=00 ~11", "Step 2 differs from the original."),
        ("=00 =11 ~22 ~33 ~44 +5 ~56", "Steps 3–7 differ from the original; step 6 is new."),
        ("~00 =11 ~22 ~33", "Steps 1 and 3–4 differ from the original."),
        ("~00 =11 ~22 =33 ~44", "Steps 1, 3 and 5 differ from the original."),
        ("=00 +1", "Step 2 is new."),
        ("=00 -1", "Step 2 of the original was removed."),
        ("=00 -1 -2 +1", "Step 2 is new; steps 2–3 of the original were removed."),
        (">20 =01 =12", "Step 1 moved."),
        ("~00 >21 -1", "Step 1 differs from the original; step 2 moved; step 2 of the original was removed."),
    ],
)
def test_describe(pairs, sentence):
    assert A.describe(_pairs(pairs)) == sentence


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("", "", ""),
        ("That's it", "That's it", "That's it"),
        ("a b c", "a x b c", "a [+x ]b c"),
        ("one two three", "one three", "one [-two ]three"),
        ("the red fox ran", "the blue dog ran", "the [-red fox][+blue dog] ran"),  # one change, not two
        ("so $x = 3$.", "so $x = 4$.", "so [-$x = 3$][+$x = 4$]."),  # mathematics is one word
        ("a pen is $5 or so", "a pen is $6 or so", "a pen is $[-5][+6] or so"),  # money is not
        ("3. So we add.", "4. So we sum.", "4. So we [-add][+sum]."),  # the number is no change
        ("So", "Step 2. So", "Step 2. So"),
        ("1. So", "So", "So"),
        ("a", "", "[-a]"),
        ("", "2. a", "2. [+a]"),
    ],
)
def test_word_diff(old, new, pieces):
    form = {"equal": "{}", "delete": "[-{}]", "insert": "[+{}]"}
    assert "".join(form[op].format(text) for op, text in A.word_diff(old, new)) == pieces


def _assert_joins(old, new):
    pieces = A.word_diff(old, new)
    number = new[: len(new) - len(A.strip_number(new))]
    assert "".join(text for op, text in pieces if op != "delete") == new
    assert "".join(text for op, text in pieces if op != "insert") == number + A.strip_number(old)
    assert all(text for _, text in pieces)


@given(wordings | st.text(), wordings | st.text())
def test_word_diff_joins_to_both(old, new):
    _assert_joins(old, new)


@given(wordings)
def test_a_wording_does_not_differ_from_itself(old):
    assert {op for op, _ in A.word_diff(old, old)} <= {"equal"}


def test_a_very_long_change_is_shown_whole():
    old, new = "so " + "a b " * 2_000 + "end", "so " + "b c " * 2_000 + "end"
    assert [op for op, _ in A.word_diff(old, new)] == ["equal", "delete", "insert", "equal"]
    _assert_joins(old, new)


def test_unlike_steps_of_one_gap_are_read_side_by_side() -> None:
    old = ["Let x be 1.", "Subtract the equations.", "$5p = 3$.", "So it is."]
    new = [
        "Let x be 1.",
        "Assume the answer is 29 cents!",
        "Now check everything again",
        "One more look",
        "So it is.",
    ]
    read = beside(align(old, new))
    assert [(pair.op, pair.old, pair.new) for pair in read] == [
        (Op.EQUAL, 0, 0),
        (Op.REPLACED, 1, 1),
        (Op.REPLACED, 2, 2),
        (Op.INSERTED, None, 3),
        (Op.EQUAL, 3, 4),
    ]
    assert describe(read) == "Steps 2–4 differ from the original; step 4 is new."


@given(
    st.lists(st.text(max_size=8), min_size=1, max_size=8),
    st.lists(st.text(max_size=8), min_size=1, max_size=8),
)
def test_side_by_side_loses_no_step(old: list[str], new: list[str]) -> None:
    read = beside(align(old, new))
    assert sorted(pair.old for pair in read if pair.old is not None) == list(range(len(old)))
    assert [pair.new for pair in read if pair.new is not None] == list(range(len(new)))


def test_pieces_by_what_became_of_the_step() -> None:
    assert pieces(Op.REPLACED, "a", "b") == [("delete", "a"), ("insert", "b")]
    assert pieces(Op.INSERTED, "", "b") == [("insert", "b")]
    assert pieces(Op.DELETED, "a", "") == [("delete", "a")]
    assert pieces(Op.EQUAL, "1. a", "2. a") == [("equal", "2. a")]
    assert pieces(Op.CHANGED, "a b", "a c") == word_diff("a b", "a c")
