import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import tex
from annotator.core.tex import Kind

# Texts made of what delimits mathematics and what imitates it.
PIECES = ["$", "$$", r"\$", r"\(", r"\)", r"\[", r"\]", "\\\\", r"\begin{align*}", r"\end{align*}", "x", "5",
          " ", "\n", ",", "and ", "{", "}", "^2", r"\frac", "two words", "ß", "👍"]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text()


def maths(text):
    return [span.text for span in tex.split(text) if span.kind is not Kind.TEXT]


@given(texts)
def test_spans_join_to_the_text_and_none_is_empty(text):
    spans = tex.split(text)
    assert "".join(span.text for span in spans) == text
    assert all(span.text and bool(span.tex) == (span.kind is not Kind.TEXT) for span in spans)


@given(texts)
def test_tokens_join_to_the_text_and_none_is_empty(text):
    tokens = tex.tokens(text)
    assert "".join(tokens) == text
    assert all(tokens)


@given(texts)
def test_neighbouring_spans_are_not_both_text(text):
    kinds = [span.kind for span in tex.split(text)]
    assert (Kind.TEXT, Kind.TEXT) not in pairwise(kinds)


@pytest.mark.parametrize(
    ("text", "kind", "inside"),
    [
        (r"\(x\)", Kind.INLINE, "x"),
        (r"\[x\]", Kind.DISPLAY, "x"),
        ("$$x\n\n+y$$", Kind.DISPLAY, "x\n\n+y"),
        ("$x$", Kind.INLINE, "x"),
        (r"\(\$5 + \$6\)", Kind.INLINE, r"\$5 + \$6"),
        (r"\[a \\[2pt] b\]", Kind.DISPLAY, r"a \\[2pt] b"),
        (r"\begin{align*}x&=1\end{align*}", Kind.DISPLAY, r"\begin{align*}x&=1\end{align*}"),
    ],
)
def test_a_delimited_span(text, kind, inside):
    assert tex.split(f"so {text}.") == [
        (Kind.TEXT, "so ", ""),
        (kind, text, inside),
        (Kind.TEXT, ".", ""),
    ]


@pytest.mark.parametrize(
    "inside",
    [
        r"\$1.24", "p=0.29", "3", "x", "40_9", "1,2,3", "40_9.", "a,", "n!", "-i", "+", r"\pm", "[0, 1)",
        "(2,3]", r"x = 3 \text{ and } y = 4", r"\boxed{\$39}", r"\left\{x > 0\right.", "x=", r"0^+",
        r"\mathbb{R}^+",
        "(width - 1)(height - 1) = 63", "ax + by = 0", r"\frac{dV}{dt}", "BCD, BDC, CBD", "<a, b>", "2 + 2",
        " x ", " x + y ", r" \frac{1}{2} ", r"\begin{pmatrix}1\\[2pt]2\end{pmatrix}", r"x_{\text{the one}}",
    ],
)  # fmt: skip
def test_dollars_round_tex_are_mathematics(inside):
    assert maths(f"so ${inside}$ it is") == [f"${inside}$"]


@pytest.mark.parametrize(
    "text",
    [
        "Three pencils cost $1.24. Five pencils cost $1.82.",
        "$5 - $3 = $2",
        "$5-$3=$2",
        "coins ($5.00) and bills ($40.00): $5.00 + $40.00 = $45.00.",
        "$5 ($3 less) or $6",
        "from $20-$25",
        "cost $10 and sell for 12$ each",
        "$3, $4",
        "$3 × $4",
        r"$100 \times $5",
        "$4.20, Laundry: $9.45, Pasta: $1.35",
        "$5.00/blouse = $3",
        "$x\n\ny$",
        r"\$5 and \$6",
        r"5\$ and $6",
        "$",
        "$$",
        "$$$$",
        "$ $",
        r"\(x",
        r"\[x\)",
        r"\( \)",
        r"x\)",
        r"\\(x\\)",  # \\ is a line break, so nothing opens here
        r"\begin{align}x",
        r"\begin{itemize}x\end{itemize}",
        r"\end{align}x\begin{align}",
        "make $$ and more $$ fast",
    ],
)
def test_money_and_what_is_not_closed_are_text(text):
    assert maths(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A pencil is $5. So $x$ is $y$.", ["$x$", "$y$"]),  # a price does not shift the pairs
        ("$40 + $20 = $60, so $\\boxed{60}$", ["$\\boxed{60}$"]),
        ("$x$$y$", ["$x$", "$y$"]),
        ("$x$-axis, the $n$th and $a$'s", ["$x$", "$n$", "$a$"]),
        (r"\frac{b}{c}$ over $b$ for fixed $c$", ["$b$", "$c$"]),  # a $ too many
        ("$triangle inequality$ for $x$", ["$x$"]),
        (r"$5 and \(x\) for $6", [r"\(x\)"]),
        (r"a \( b and \(c\)", [r"\(c\)"]),
        (
            r"\begin{array}{c}\begin{array}{c}1\end{array}\end{array}!",
            [r"\begin{array}{c}\begin{array}{c}1\end{array}\end{array}"],
        ),
        (r"$$\text{if } $x$ \text{ then}$$ ok", [r"$$\text{if } $x$ \text{ then}$$"]),
    ],
)
def test_what_is_mathematics_among_other_things(text, found):
    assert maths(text) == found


def test_tokens_are_words_numbers_spaces_marks_and_whole_spans():
    assert tex.tokens("Let's add  1,250.5 to $x + 1$, café!") == [
        "Let's", " ", "add", "  ", "1,250.5", " ", "to", " ", "$x + 1$", ",", " ", "café", "!",
    ]  # fmt: skip


@pytest.mark.parametrize("piece", [*PIECES, "$a", "$ and ", r"\text{", "$ \n ", r"\begin{a", "${", "$aa bb "])
@pytest.mark.parametrize("end", ["", "$", r"\)"])
def test_time_is_linear(piece, end):
    text = piece * (60_000 // len(piece)) + end
    start = time.process_time()
    tex.tokens(text)
    assert time.process_time() - start < 2  # about 0.1 s; a quadratic search takes minutes
