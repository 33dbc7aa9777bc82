"""The rows of the review page. In Python because a template's nodes would cost more than everything else.

What depends on no data is built once and kept; what comes from data goes through format_html.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString

from annotator.core import align, keys
from annotator.core import labels as lab
from annotator.templatetags.maths import maths, pieces_html
from annotator.views.review_page import GLYPHS, WORDS, Page, Row, Said

register = template.Library()

CHOICES = (("+", "right", "y"), ("0", "neutral", "z"), ("-", "wrong", "x"), ("?", "unsure", "q"))


@register.simple_tag
def step_rows(page: Page) -> SafeString:
    """Every step in order, and between them the steps that were removed."""
    type_keys = tuple(page.keys[kind.code] for kind in lab.ERROR_TYPES)
    return format_html_join("\n", "{}", ((_row(page, row, type_keys),) for row in page.rows))


@register.simple_tag
def original_steps(page: Page) -> SafeString:
    steps = page.original.solution.steps if page.original else []
    return format_html_join("", '<li><span class="text">{}</span></li>', ((maths(step),) for step in steps))


@register.simple_tag
def review_config(bound: Mapping[str, str]) -> SafeString:
    """The keys in force, for keys.js: data in a script element, which no browser runs."""
    return _config(tuple(bound.items()))


@lru_cache(maxsize=256)
def _config(bound: tuple[tuple[str, str], ...]) -> SafeString:
    config: dict[str, Any] = {
        "keys": [[action, key, keys.ACTIONS[action].title] for action, key in bound],
        "definitions": {kind.code: kind.definition for kind in lab.ERROR_TYPES},
    }
    return json_script(config, "review-config")


def _row(page: Page, row: Row, type_keys: tuple[str, ...]) -> SafeString:
    i = row.position
    if i is None:
        text = '<li class="gone"><span class="n">–</span><div class="text">removed, was {} · {}</div></li>'
        return format_html(text, (row.was or 0) + 1, pieces_html(row.pieces))
    drafted = page.judgement
    return format_html(
        '<li class="step{}" id="s{}" tabindex="-1">{}{}'
        '<div class="body"><div class="text">{}</div>{}{}{}</div>{}{}</li>',
        _classes(page, i), i, _pick(i, drafted.labels[i]), _said(page.said, drafted.labels, i),
        pieces_html(row.pieces), _tag(row.tag), _was(row), _proposal(page, i),
        _types(i, tuple(drafted.error_types.get(i, ())), type_keys), _tools(page, i),
    )  # fmt: skip


def _classes(page: Page, i: int) -> str:
    drafted = page.judgement
    flags = {
        " missing": i in page.missing, " edited": i in drafted.edit,
        " added": i in drafted.insert, " deleted": i in drafted.delete,
    }  # fmt: skip
    return "".join(name for name, holds in flags.items() if holds)


def _tag(tag: str) -> str:
    return format_html(' <span class="tag mid">{}</span>', tag) if tag else ""


def _was(row: Row) -> str:
    if row.was is None:
        return ""
    return format_html('<div class="was">was {} · {}</div>', row.was + 1, pieces_html(row.was_pieces))


def _proposal(page: Page, i: int) -> SafeString:
    """What the reviewer made of the step, marked against what it was."""
    edit, insert = page.judgement.edit.get(i), page.judgement.insert.get(i)
    shown: list[tuple[str, SafeString]] = []
    if edit is not None:
        shown.append(("yours", pieces_html(align.word_diff(page.steps[i], edit))))
    if insert is not None:
        shown.append(("yours, after it", pieces_html([("insert", insert)])))
    return format_html_join("", '<div class="was yours">{} · {}</div>', shown)


def _said(said: Iterable[Said], mine: str, i: int) -> str:
    """Machines' labels beside the reviewer's: loud only where they differ."""
    rows = (
        ("" if by.labels[i] == mine[i] else " differs", by.who, GLYPHS[by.labels[i]], WORDS[by.labels[i]])
        for by in said
    )
    html = format_html_join(
        "",
        '<span class="said{}">{} <span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span></span>',
        rows,
    )
    return format_html('<div class="saids">{}</div>', html) if html else ""


@lru_cache(maxsize=4096)
def _pick(i: int, label: str) -> SafeString:
    radios = format_html_join(
        "",
        '<label class="{}" title="{}"><input type="radio" name="label-{}" value="{}" aria-label="{}"{}>'
        '<span aria-hidden="true">{}</span></label>',
        (
            (css, word, i, value, word, _checked(value == label), GLYPHS[value])
            for value, word, css in CHOICES
        ),
    )
    return format_html(
        '<span class="n" aria-hidden="true">{}</span>'
        '<div class="pick" role="radiogroup" aria-label="Step {}">{}</div>', i + 1, i + 1, radios,
    )  # fmt: skip


@lru_cache(maxsize=8192)
def _types(i: int, chosen: tuple[str, ...], type_keys: tuple[str, ...]) -> SafeString:
    chips = format_html_join(
        "",
        '<label class="chip"><input type="checkbox" name="type-{}" value="{}"{}><kbd>{}</kbd>{}</label>',
        (
            (i, kind.code, _checked(kind.code in chosen), key, kind.title)
            for kind, key in zip(lab.ERROR_TYPES, type_keys, strict=True)
        ),
    )
    label = f"What is wrong with step {i + 1}"
    return format_html('<div class="types" role="group" aria-label="{}">{}</div>', label, chips)


def _tools(page: Page, i: int) -> SafeString:
    """Edit, insert, delete. A browser drops the first line break of a textarea, so one is given to it."""
    drafted, n = page.judgement, i + 1
    edit = drafted.edit.get(i)
    original = "" if edit is None else format_html(' data-original="{}"', page.steps[i])
    first = _insert(-1, "New step before it", drafted.insert.get(-1, "")) if i == 0 else ""
    return format_html(
        '<details class="tools"><summary aria-label="Edit step {}">edit</summary>{}'
        '<label>The step should be<textarea name="edit-{}"{}>\n{}</textarea></label>{}'
        '<label class="check"><input type="checkbox" name="delete-{}"{}> Delete the step</label></details>',
        n, first, i, original, page.steps[i] if edit is None else edit,
        _insert(i, "New step after it", drafted.insert.get(i, "")), i, _checked(i in drafted.delete),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _insert(i: int, title: str, text: str) -> SafeString:
    return format_html('<label>{}<textarea name="insert-{}" rows="2">\n{}</textarea></label>', title, i, text)


def _checked(holds: bool) -> str:
    return " checked" if holds else ""
