"""Line differences of guidelines."""

from annotator.core.linediff import line_diff


def shown(before: str, after: str) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in line_diff(before, after)]


def test_the_same_text_has_no_difference() -> None:
    assert line_diff("a\nb", "a\nb") == []
    assert line_diff("a\r\nb", "a\nb\n") == []
    assert line_diff("", "") == []


def test_a_changed_line_is_gone_and_new_with_its_neighbours() -> None:
    found = shown("one\ntwo\nthree\nfour\nfive", "one\ntwo\n3\nfour\nfive")
    assert found == [
        ("same", "one"), ("same", "two"), ("gone", "three"), ("new", "3"), ("same", "four"), ("same", "five"),
    ]  # fmt: skip


def test_lines_far_from_a_change_are_a_gap() -> None:
    old = [str(n) for n in range(20)]
    new = ["x", *old[1:-1], "y"]
    assert [line.kind for line in line_diff("\n".join(old), "\n".join(new))] == [
        "gone", "new", "same", "same", "gap", "same", "same", "gone", "new",
    ]  # fmt: skip


def test_a_first_text_is_all_new() -> None:
    assert shown("", "a\n-- b\n++ c") == [("new", "a"), ("new", "-- b"), ("new", "++ c")]


def test_a_reworded_line_shows_its_words() -> None:
    (line,) = line_diff("A step is right if $a+b$ holds.", "A step is right only if $a+c$ holds.")
    assert line.kind == "changed"
    assert [text for mark, text in line.pieces if mark == "insert"] == ["only ", "$a+c$"]
    assert [text for mark, text in line.pieces if mark == "delete"] == ["$a+b$"]


def test_another_number_before_a_line_is_a_change_here() -> None:
    assert shown("1. Read.", "2. Read.") == [("gone", "1. Read."), ("new", "2. Read.")]


def test_lines_that_follow_a_reworded_one_are_new_or_gone() -> None:
    assert [kind for kind, _ in shown("one two", "one two three\nfour")] == ["changed", "new"]
    assert [kind for kind, _ in shown("one two three\nfour", "one two")] == ["changed", "gone"]
    assert [kind for kind, _ in shown("one two\nthree", "four\nthree and")] == ["gone", "gone", "new", "new"]
