"""Percentages and differences of them on pages; what is undefined is a dash.

A name that a template does not find arrives as "", and is undefined too.
"""

from typing import Any, Final, Literal

from django import template

register = template.Library()
UNDEFINED: Final = (None, "")


@register.filter
def points(value: float | Literal[""] | None) -> str:
    """68.2, or a dash."""
    return "–" if value in UNDEFINED else f"{value:.1f}"


@register.filter
def signed(value: float | Literal[""] | None) -> str:
    """A difference with its sign; the minus is a minus."""
    if value is None or value == "":
        return "–"
    text = f"{value:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


@register.filter
def response(found: dict[str, Any] | None, name: str) -> str:
    """A number of the response level: the names have an @ in them, which templates cannot say. AUC is of 1."""
    value = found.get(name) if found else None
    return "–" if value is None else f"{value:.2f}" if name == "auc" else f"{value:.1f}"


@register.filter
def of(found: dict[str, Any] | None, name: str) -> Any:
    """A value by a name that templates cannot say."""
    return found.get(name) if found else None


@register.filter
def chance(p: float | Literal[""] | None) -> str:
    """A p value: three digits, and none smaller than can be drawn."""
    if p is None or p == "":
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


@register.filter
def percent(share: float | Literal[""] | None) -> str:
    """A share, 0..1, in percent."""
    return "–" if share in UNDEFINED else f"{100 * share:.1f}"


@register.filter
def pairs(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(found.items())
