"""Text from data to HTML: all of it is escaped, mathematics stands in <span class="tex"> as raw TeX.

math.js sets the spans in the browser; without it one reads the source. Nothing here trusts a text.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from annotator.core import tex

register = template.Library()

Piece = tuple[str, str]  # "equal", "insert" or "delete", and the text: as core.align.word_diff has them
TAGS = {"insert": "ins", "delete": "del"}
NONE = SafeString("")  # safe: empty


@register.filter
def maths(text: str | None) -> SafeString:
    """A text from data with its mathematics marked."""
    return pieces_html([("equal", text or "")])


@register.simple_tag
def pieces(of: Iterable[Piece]) -> SafeString:
    return pieces_html(of)


def pieces_html(pieces: Iterable[Piece]) -> SafeString:
    """The text that `pieces` join to, with what was inserted or deleted marked."""
    runs = groupby(_runs(list(pieces)), key=lambda run: run[0])
    return format_html_join("", "{}", ((_marked(mark, (html for _, html in run)),) for mark, run in runs))


def _marked(mark: str, parts: Iterable[SafeString]) -> SafeString:
    html = format_html_join("", "{}", ((part,) for part in parts))
    tag = TAGS.get(mark)
    return format_html("<{}>{}</{}>", tag, html, tag) if tag else html


def _runs(pieces: list[Piece]) -> Iterator[tuple[str, SafeString]]:
    """(mark, HTML) in order. Spans are found in the whole text, so that a mark never makes or breaks one."""
    text = "".join(piece for _, piece in pieces)
    ends = _ends(pieces)
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


def _ends(pieces: list[Piece]) -> Iterator[tuple[str, int]]:
    end = 0
    for mark, piece in pieces:
        end += len(piece)
        yield mark, end


def _span(kind: tex.Kind, raw: str) -> SafeString:
    if kind is tex.Kind.TEXT:
        return conditional_escape(raw)
    return format_html('<span class="{}">{}</span>', "tex block" if kind is tex.Kind.DISPLAY else "tex", raw)
