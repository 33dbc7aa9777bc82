"""Where the marks of charts stand: inside, in order, and never for what is undefined."""

import pytest

from scoring.templatetags import points as shown
from scoring.views import bands, plots
from scoring.views.bands import Scale, Value
from scoring.views.plots import Point


def test_a_scale_reaches_around_its_values_in_whole_tens() -> None:
    scale = bands.scale_of([31.7, 83.8, None])
    assert scale == Scale(30, 90)
    assert [tick.text for tick in scale.ticks] == ["40", "60", "80"]
    assert scale.at(30) == bands.EDGE
    assert scale.at(90) == 100 - bands.EDGE
    assert scale.at(10) == scale.at(30)


@pytest.mark.parametrize("values", [[], [None], [0.0], [100.0], [50.0, 50.0]])
def test_a_scale_of_little_still_has_a_width(values: list[float | None]) -> None:
    scale = bands.scale_of(values)
    assert scale.low < scale.high
    assert scale.low >= 0
    assert scale.high <= 100


def test_a_band_names_its_values_and_leaves_out_what_is_undefined() -> None:
    band = bands.band([Value("a", 50, [40, 60]), Value("b", None)], Scale(0, 100))
    (mark,) = band.marks
    assert mark.low is not None
    assert mark.high is not None
    assert mark.low < mark.at < mark.high
    assert band.words == "a: 50.0, 95 % interval 40.0–60.0; b: –"


def test_a_line_is_broken_where_a_value_is_undefined() -> None:
    points = [Point(n, y, "") for n, y in enumerate([10.0, 20.0, None, 40.0])]
    drawn = plots.plot("t", [("one", points)], across=Scale(0, 3), up=Scale(0, 100), ticks=[(0, "0")])
    (line,) = drawn.lines
    assert (len(line.dots), len(line.segments)) == (3, 1)
    assert line.dots[0].y > line.dots[1].y > line.dots[2].y  # pixels grow downwards


def test_ticks_are_thinned_evenly() -> None:
    ticks = [(float(n), str(n)) for n in range(1, 31)]
    chosen = plots.every(ticks, 8)
    assert len(chosen) <= 8
    assert chosen[0] == (1.0, "1")


def test_right_steps_stand_up_and_wrong_ones_hang_down_each_to_its_own_whole() -> None:
    drawn = plots.histogram("t", [0.0, 0.5, 1.0], [100, 300], [3, 1], at=0.5)
    assert all(bar.y + bar.height == pytest.approx(plots.MIDDLE) for bar in drawn.right)
    assert all(bar.y == plots.MIDDLE for bar in drawn.wrong)
    assert drawn.right[1].height == pytest.approx(
        drawn.wrong[0].height
    )  # both are three quarters of their side
    assert drawn.at == 50.0
    empty = plots.histogram("t", [0.0, 1.0], [0], [0], at=None)
    assert empty.right[0].height == 0


def test_slopes_say_who_rose_and_who_fell() -> None:
    drawn = plots.slopes("t", [("a", 60, 50), ("b", 55, 58), ("c", 40, 41), ("d", None, 3)])
    assert {line.name: line.direction for line in drawn.lines} == {"a": "down", "b": "up", "c": "same"}
    assert len({line.y1 for line in drawn.lines}) == 3


def test_numbers_on_pages() -> None:
    assert (shown.points(None), shown.points(68.25)) == ("–", "68.2")
    assert [shown.signed(value) for value in (1.25, -1.25, 0.0, -0.01, None)] == [
        "+1.2",
        "−1.2",
        "0.0",
        "0.0",
        "–",
    ]
    assert [shown.chance(p) for p in (None, 0.0004, 0.05)] == ["–", "< 0.001", "0.050"]
