"""Steps that people name in their own words ("step 12", "steps 3, 4 and 7") as links to those steps."""

import re
from collections.abc import Callable
from html import escape
from typing import Final

from django import template
from django.utils.safestring import SafeString

from annotator.core import tex
from annotator.templatetags.maths import maths

register = template.Library()

JOINED = r"(?:\s*(?:,|&|-|–|and\b|or\b|to\b)){1,2}\s*"
NAMED: Final = re.compile(rf"\bsteps?\s+\d{{1,4}}(?:{JOINED}\d{{1,4}})*\b", re.I)
NUMBER: Final = re.compile(r"\d+")


@register.simple_tag
def steps_of_item(text: str | None, n_steps: int | None = None, page: str = "") -> SafeString:
    """A text from data with its mathematics marked, and the steps that it names linked to those of the item's page
    at `page`. Numbers beyond `n_steps`, where that is known, stay text."""
    return _marked(text or "", n_steps, lambda step: f"{page}#step-{step}")


@register.simple_tag
def steps_of_review(text: str | None, n_steps: int | None = None, page: str = "") -> SafeString:
    """The same for a review page, whose steps are known by their 0-based position."""
    return _marked(text or "", n_steps, lambda step: f"{page}#s{step - 1}")


def _marked(text: str, n_steps: int | None, address: Callable[[int], str]) -> SafeString:
    parts = [
        _linked(span.text, n_steps, address) if span.kind is tex.Kind.TEXT else maths(span.text)
        for span in tex.split(text)
    ]
    return SafeString("".join(parts))  # safe: what _linked and maths have escaped


def _linked(text: str, n_steps: int | None, address: Callable[[int], str]) -> str:
    html, end = [], 0
    for found in NAMED.finditer(text):
        html += [escape(text[end : found.start()]), _links(found[0], n_steps, address)]
        end = found.end()
    return "".join([*html, escape(text[end:])])


def _links(words: str, n_steps: int | None, address: Callable[[int], str]) -> str:
    """`words` are letters, digits, spaces and our own separators."""

    def link(number: re.Match[str]) -> str:
        step = int(number[0])
        if step < 1 or (n_steps is not None and step > n_steps):
            return number[0]
        return f'<a href="{escape(address(step))}">{number[0]}</a>'

    return NUMBER.sub(link, words.replace("&", "&amp;"))
