"""Numbers on pages. What is undefined is a dash with its reason, never 0 or -1."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from annotator.templatetags.maths import Piece, pieces_html
from annotator.views import charts, words

register = template.Library()


@register.filter
def duration(ms: float | None) -> str:
    return words.duration(ms)


@register.filter
def ago(at: datetime | None) -> str:
    """How long since: "just now", "3 hours ago"; "–" for never."""
    if at is None:
        return "–"
    minute = timezone.now() - timedelta(minutes=1)
    return "just now" if at > minute else f"{timesince(at, depth=1)} ago"


@register.filter
def mean(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


@register.filter
def statistic(found: dict[str, Any]) -> SafeString:
    """A coefficient with the n it was computed from, and its interval."""
    return _shown(found, f"{found['value']:.2f}" if found["value"] is not None else "", 1)


@register.filter
def percentage(found: dict[str, Any]) -> SafeString:
    """A share, 0..1, with the n it was computed from, and its interval."""
    return _shown(found, f"{100 * found['value']:.1f} %" if found["value"] is not None else "", 100)


@register.filter
def thousands(n: int) -> str:
    return f"{n:,}"


@register.filter
def in_words(found: dict[str, Any]) -> str:
    """ "0.61, 95 % interval 0.55–0.66"."""
    return charts.between_words(found)


def _shown(found: dict[str, Any], text: str, scale: int) -> SafeString:
    """`interval`, where there is one, is {low, high, why}."""
    if not text:
        return format_html('<span title="{0}">–<span class="why">{0}</span></span>', found["why"])
    low, high = (found.get("interval", {}).get(end) for end in ("low", "high"))
    n = format_html('<span class="n">n {}</span>', thousands(found["n"]))
    if low is None:
        return format_html("{} {}", text, n)
    between = f"{charts.number(low, scale)}–{charts.number(high, scale)}"
    return format_html('{} <span class="n" title="95 % interval">{}</span> {}', text, between, n)


@register.filter
def share_in_words(found: dict[str, Any]) -> str:
    """ "61.0 %, 95 % interval 55.0–66.0, n 312"."""
    return charts.in_words(found, 100)


@register.filter
def pieces(diff: list[Piece]) -> SafeString:
    """Pieces of a word diff, with mathematics."""
    return pieces_html(diff)
