"""The rail beside a long solution: a link to every step, with its label. rail.js keeps it as the labels change."""

from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotator.views.review_page import GLYPHS, WORDS, Page
from annotator.views.review_reveal import differ

register = template.Library()

SHOWN_FROM: Final = 16  # steps; fewer fit on a screen or two


@register.simple_tag
def step_rail(page: Page) -> SafeString:
    """Empty for a short solution. Each mark carries the machines' labels of its step, once they may be seen, so
    that it can tell where they differ from the reviewer's."""
    if len(page.steps) < SHOWN_FROM:
        return SafeString("")  # safe: nothing
    marks = format_html_join("", "<li>{}</li>", ((_mark(page, i),) for i in range(len(page.steps))))
    return format_html('<nav class="rail" aria-label="Steps"><ol>{}</ol></nav>', marks)


def _mark(page: Page, i: int) -> SafeString:
    label, said = page.judgement.labels[i], "".join(by.labels[i] for by in page.said)
    missing, differs = i in page.missing, any(differ(other, label) for other in said)
    classes = " ".join(name for name, holds in (("missing", missing), ("differs", differs)) if holds)
    words = [f"Step {i + 1}: {WORDS[label]}", *(classes.split())]
    return format_html(
        '<a href="#s{}" data-label="{}" data-said="{}" class="{}" aria-label="{}">'
        '<span aria-hidden="true">{}</span><span aria-hidden="true">{}</span></a>',
        i, label, said, classes, ", ".join(words), i + 1, GLYPHS[label],
    )  # fmt: skip
