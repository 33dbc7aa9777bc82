"""Text from data to HTML: all of it is escaped, mathematics stands in <span class="tex"> as raw TeX.

math.js sets the spans in the browser; without it one reads the source. Nothing here trusts a text. A page
holds hundreds of spans, so each is escaped by the standard library and all are joined once.
"""

from collections.abc import Iterable, Iterator
from html import escape

from django import template
from django.utils.safestring import SafeString

from annotator.core import tex

register = template.Library()

Piece = tuple[str, str]  # "equal", "insert" or "delete", and the text
OPEN = {"equal": "", "insert": "<ins>", "delete": "<del>"}
CLOSE = {"equal": "", "insert": "</ins>", "delete": "</del>"}
SPAN = {tex.Kind.INLINE: '<span class="tex">', tex.Kind.DISPLAY: '<span class="tex block">'}


@register.filter
def maths(text: str | None) -> SafeString:
    """A text from data with its mathematics marked."""
    return pieces_html([("equal", text or "")])


@register.filter
def answer(text: str | None) -> SafeString:
    """A reference answer, which data sets often write as bare TeX: what is no plain text is mathematics."""
    bare = text or ""
    is_tex = any(mark in bare for mark in "\\^_") and "$" not in bare and not bare.isspace()
    spans = tex.split(bare)
    known = any(span.kind is not tex.Kind.TEXT for span in spans)
    return maths(f"${bare}$" if is_tex and not known else bare)


@register.simple_tag
def pieces(of: Iterable[Piece]) -> SafeString:
    return pieces_html(of)


def pieces_html(of: Iterable[Piece]) -> SafeString:
    """The text that the pieces join to, with what was inserted or deleted marked."""
    parts: list[str] = []
    before = "equal"
    for mark, html in _runs(list(of)):
        if mark != before:
            parts += [CLOSE[before], OPEN[mark]]
            before = mark
        parts.append(html)
    return SafeString("".join([*parts, CLOSE[before]]))  # safe: our own tags, and text that _span has escaped


def _runs(of: list[Piece]) -> Iterator[tuple[str, str]]:
    """(mark, HTML) in order. Spans are found in the whole text, so that a mark never makes or breaks one."""
    text = "".join(piece for _, piece in of)
    ends = _ends(of)
    mark, end = next(ends, ("equal", 0))
    at = 0
    for span in tex.split(text):
        stop = at + len(span.text)
        while at < stop:
            while end <= at:
                mark, end = next(ends)
            cut = stop if span.kind is not tex.Kind.TEXT else min(stop, end)
            yield mark, _span(span.kind, text[at:cut])
            at = cut


def _ends(of: list[Piece]) -> Iterator[tuple[str, int]]:
    end = 0
    for mark, piece in of:
        end += len(piece)
        yield mark, end


def _span(kind: tex.Kind, raw: str) -> str:
    html = escape(raw)
    return html if kind is tex.Kind.TEXT else f"{SPAN[kind]}{html}</span>"
