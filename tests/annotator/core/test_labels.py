import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import labels as L

label_strings = st.text(alphabet=sorted(L.LABELS), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("labels", "first"),
    [
        ("+", L.NO_ERROR),
        ("+0+", L.NO_ERROR),  # a neutral step is no error
        ("-", 0),
        ("++-", 2),
        ("+0--", 2),
        ("+-..", 1),  # what stands after it does not matter
        ("+-?+", 1),
        (".-", L.UNKNOWN),  # the unjudged step may be the first wrong one
        ("+?-", L.UNKNOWN),
        ("++.", L.UNKNOWN),
        ("++?", L.UNKNOWN),
        ("...", L.UNKNOWN),
    ],
)
def test_first_error(labels, first):
    assert L.first_error(labels) == first


@given(label_strings)
def test_first_error_is_the_first_label_that_is_neither_right_nor_neutral(labels):
    rest = labels.lstrip("+0")
    expected = L.NO_ERROR if not rest else len(labels) - len(rest) if rest[0] == "-" else L.UNKNOWN
    assert L.first_error(labels) == expected


@given(label_strings)
def test_wrong_steps_are_the_minus_signs(labels):
    wrong = L.wrong_steps(labels)
    assert len(wrong) == labels.count("-")
    assert all(labels[position] == "-" for position in wrong)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(L.UNKNOWN, n - 1), st.just(n))))
def test_labels_from_first_error_round_trip(case):
    first, n_steps = case
    labels = L.labels_from_first_error(first, n_steps)
    L.check_labels(labels, n_steps)
    assert L.first_error(labels) == first


@pytest.mark.parametrize(
    ("first", "labels"),
    [(0, "-..."), (2, "++-."), (3, "+++-"), (L.NO_ERROR, "++++"), (L.UNKNOWN, "....")],
)
def test_labels_from_first_error(first, labels):
    assert L.labels_from_first_error(first, 4) == labels


@pytest.mark.parametrize(("first", "n_steps"), [(4, 4), (-3, 4), (0, 0), (L.NO_ERROR, 0)])
def test_labels_from_first_error_refuses(first, n_steps):
    with pytest.raises(ValueError, match=r"solution"):
        L.labels_from_first_error(first, n_steps)


@pytest.mark.parametrize(
    ("wrong", "labels"), [([], "+++"), ([2, 0], "-+-"), ([1, 1], "+-+"), (range(3), "---")]
)
def test_labels_from_wrong_steps(wrong, labels):
    assert L.labels_from_wrong_steps(wrong, 3) == labels


@pytest.mark.parametrize(("wrong", "n_steps"), [([3], 3), ([-1], 3), ([], 0)])
def test_labels_from_wrong_steps_refuses(wrong, n_steps):
    with pytest.raises(ValueError, match=r"solution"):
        L.labels_from_wrong_steps(wrong, n_steps)


@given(st.sets(st.integers(0, 9)))
def test_wrong_steps_round_trip(wrong):
    assert L.wrong_steps(L.labels_from_wrong_steps(wrong, 10)) == sorted(wrong)


@pytest.mark.parametrize(
    ("labels", "at_first_error", "stop"),
    [("++-.", True, 3), ("++-.", False, 4), ("+++", True, 3), ("....", True, 4), (".-.", True, 2)],
)
def test_stopping_point(labels, at_first_error, stop):
    assert L.stopping_point(labels, at_first_error) == stop


@pytest.mark.parametrize(
    ("labels", "stop", "left"),
    [("+.-.", 3, [1]), ("+.-.", 4, [1, 3]), ("+?0-", 4, []), ("..", 0, [])],  # unsure is a judgement
)
def test_unjudged(labels, stop, left):
    assert L.unjudged(labels, stop) == left


@pytest.mark.parametrize(
    ("labels", "n_steps", "says"),
    [
        ("++", 3, "2 labels for 3 steps"),
        ("", 0, "at least one step"),
        ("+x-", 3, "'x' at position 1"),
        ("+−", 2, "at position 1"),  # a minus sign that is not a hyphen
    ],
)
def test_check_labels_names_the_place(labels, n_steps, says):
    with pytest.raises(ValueError, match=says):
        L.check_labels(labels, n_steps)


def test_check_labels_accepts_every_label():
    L.check_labels("+0-?.", 5)


def test_error_types_are_told_apart_by_every_name():
    for field in ("code", "foreign", "table", "title", "key", "definition"):
        assert len({getattr(kind, field) for kind in L.ERROR_TYPES}) == len(L.ERROR_TYPES) == 8
    assert "".join(kind.key for kind in L.ERROR_TYPES) == "rcfswomd"
    assert [kind.table for kind in L.ERROR_TYPES] == ["NR", "NCL", "ES", "SC", "DC", "CI", "PS", "DR"]
    assert L.ERROR_TYPES[0].foreign == "redundency"
    assert L.MULTI_SOLUTIONS not in {kind.code for kind in L.ERROR_TYPES}
