"""Reference answers on pages."""

import pytest

from annotator.templatetags.maths import answer


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("40,\\!000", '<span class="tex">$40,\\!000$</span>'),
        ("x^2", '<span class="tex">$x^2$</span>'),
        ("$\\frac12$", '<span class="tex">$\\frac12$</span>'),
        ("\\(\\frac12\\)", '<span class="tex">\\(\\frac12\\)</span>'),
        ("12", "12"),
        ("\\$5", "\\$5"),
        ("<b>\\pi</b>", '<span class="tex">$&lt;b&gt;\\pi&lt;/b&gt;$</span>'),
        (None, ""),
    ],
)
def test_an_answer_in_bare_tex_is_mathematics(text: str | None, html: str) -> None:
    assert answer(text) == html
