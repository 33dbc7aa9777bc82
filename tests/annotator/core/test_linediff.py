"""Line differences of guidelines."""

from annotator.core.linediff import line_diff


def test_the_same_text_has_no_difference() -> None:
    assert line_diff("a\nb", "a\nb") == []
    assert line_diff("a\r\nb", "a\nb\n") == []
    assert line_diff("", "") == []


def test_a_changed_line_is_gone_and_new_with_its_neighbours() -> None:
    found = line_diff("one\ntwo\nthree\nfour\nfive", "one\ntwo\n3\nfour\nfive")
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
    assert line_diff("", "a\n-- b\n++ c") == [("new", "a"), ("new", "-- b"), ("new", "++ c")]
