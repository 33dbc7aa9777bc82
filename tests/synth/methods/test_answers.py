"""Verdicts on answers, the traps of math-verify among them."""

import pytest

from synth.methods.answers import MAX, verdict


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("1/2", "0.5"),
        (r"\frac{1}{2}", r"\dfrac12"),
        (r"16\sqrt{3}", r"\sqrt{768}"),
        ("(-1,6)", "(-1, 6)"),
        ("1,2", r"\{2,1\}"),
        (r"(-\infty,2)", "x<2"),
        ("x^2+2x+1", "$(x+1)^2$"),
        ("3", "x=3"),
        ("1,000", "1000"),
        ("5", r"5 \text{ dollars}"),
        (r"10\%", "0.1"),
        ("C", r"\text{(C)}"),
        (r"\text{Tuesday}", "tuesday"),
        ("12_8", "12_{8}"),
        ("50.", r"\(50\)"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    ],
)
def test_right(gold: str, answer: str) -> None:
    assert verdict(gold, answer) == "right"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("12", "13"),
        ("-3", "3"),
        ("C", "D"),
        ("[1,2]", "[1,3]"),
        ("x+1", "y+1"),
        (r"2\pi", "6.28"),
        ("even", "odd"),
        ("live", "evil"),  # the same product of letters to math-verify
        ("10", r"10 \text{ or } 12"),
    ],
)
def test_wrong(gold: str, answer: str) -> None:
    assert verdict(gold, answer) == "wrong"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("12_8", "12"),  # math-verify drops the base
        ("12_8", "12_9"),
        ("5", "five"),
        ("5", ""),
        ("", "5"),
        (r"\frac{1}{", "1"),
        ("1}{2", "1"),
        ("5", r"5\}"),
        ("5", "5" * (MAX + 1)),
        ("5", "\ud800"),
    ],
)
def test_undecided(gold: str, answer: str) -> None:
    assert verdict(gold, answer) == "undecided"
