"""The rows of the review page. In Python because a template's nodes would cost more than everything else.

What depends on no data is built once and kept; what comes from data goes through format_html.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString

from annotator.actions.alternatives import Alternative
from annotator.core import align, keys
from annotator.core.keys import KindKey
from annotator.templatetags.maths import maths, pieces_html
from annotator.views.review_page import GLYPHS, WORDS, Page, Row
from annotator.views.review_reveal import Found, Said, differ

register = template.Library()

CHOICES = (("+", "right", "y"), ("0", "neutral", "z"), ("-", "wrong", "x"), ("?", "unsure", "q"))


@register.simple_tag
def step_rows(page: Page) -> SafeString:
    """Every step in order, and between them the steps that were removed."""
    kinds = tuple(page.kinds)
    return format_html_join("\n", "{}", ((_row(page, row, kinds),) for row in page.rows))


@register.simple_tag
def original_steps(page: Page) -> SafeString:
    steps = page.original.solution.steps if page.original else []
    return format_html_join("", '<li><span class="text">{}</span></li>', ((maths(step),) for step in steps))


@register.simple_tag
def review_config(page: Page) -> SafeString:
    """The keys in force, for keys.js: data in a script element, which no browser runs."""
    return _config(tuple(page.keys.items()), tuple(page.kinds))


@lru_cache(maxsize=256)
def _config(bound: tuple[tuple[str, str], ...], kinds: tuple[KindKey, ...]) -> SafeString:
    """`types`: [code, key or "", what the sheet says, definition]."""
    config: dict[str, Any] = {
        "keys": [[name, key, keys.ACTIONS[name].title] for name, key in bound if name not in keys.KINDS],
        "types": [[kind.code, kind.key, _sheet_title(kind), kind.definition] for kind in kinds],
    }
    return json_script(config, "review-config")


def _sheet_title(kind: KindKey) -> str:
    return f"error type: {kind.title}" + (f" (its key is that of: {kind.taken_by})" if kind.taken_by else "")


def _row(page: Page, row: Row, kinds: tuple[KindKey, ...]) -> SafeString:
    i = row.position
    if i is None:
        text = '<li class="gone"><span class="n">–</span><div class="text">removed, was {} · {}</div></li>'
        return format_html(text, (row.was or 0) + 1, pieces_html(row.pieces))
    drafted = page.judgement
    return format_html(
        '<li class="step{}" id="s{}" tabindex="-1">{}{}'
        '<div class="body"><div class="text">{}</div>{}{}{}{}{}</div>{}{}{}</li>',
        _classes(page, i), i, _pick(i, drafted.labels[i]), _said(page.said, drafted.labels, i),
        pieces_html(row.pieces), _tag(row.tag), _was(row), _proposal(page, i), _found(page.found, i), _decided(page, i),
        _types(i, tuple(drafted.error_types.get(i, ())), kinds), _tools(page, i),
        _alternatives(page.alternatives.get(i, ()), drafted.alternatives, i),
    )  # fmt: skip


def _classes(page: Page, i: int) -> str:
    drafted = page.judgement
    flags = {
        " missing": i in page.missing, " edited": i in drafted.edit,
        " added": i in drafted.insert, " deleted": i in drafted.delete, " bulk": i in drafted.bulk,
    }  # fmt: skip
    return "".join(name for name, holds in flags.items() if holds)


def _decided(page: Page, i: int) -> str:
    """What was decided of the step, where that is not what this reviewer said."""
    if page.decided is None or i not in page.decided.differs:
        return ""
    label, types = page.decided.labels[i], page.decided.types.get(i, ())
    said = ", ".join([WORDS[label], *types])
    return format_html('<div class="decided"><b>Decided:</b> {} {}</div>', GLYPHS[label], said)


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


def _said(said: Sequence[Said], mine: str, i: int) -> str:
    """Machines' labels beside the reviewer's: loud only where they differ. `data-said`: their labels, in order, for
    sources.js."""
    if not said:
        return ""
    html = format_html_join(
        "",
        '<span class="said{}">{} <span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span>{}</span>',
        (
            (
                " differs" if differ(by.labels[i], mine[i]) else "",
                by.who, GLYPHS[by.labels[i]], WORDS[by.labels[i]], _aside(by, i),
            )
            for by in said
        ),
    )  # fmt: skip
    return format_html(
        '<div class="saids" data-said="{}">{}</div>', "".join(by.labels[i] for by in said), html
    )


def _aside(by: Said, i: int) -> str:
    """The score, and redundancy: a second axis beside right and wrong."""
    parts = [by.scores[i]] if by.scores[i] else []
    parts += ["redundant"] if by.redundant[i] else []
    return format_html(" <small>{}</small>", " · ".join(parts)) if parts else ""


def _found(found: Iterable[Found], i: int) -> str:
    """What checks found in the step."""
    rows = (
        (one.meaning, one.title, f": {one.detail}" if one.detail else "")
        for one in found
        if one.position == i
    )
    html = format_html_join("", '<li title="{}">{}{}</li>', rows)
    return format_html('<ul class="found" aria-label="Checks found">{}</ul>', html) if html else ""


def _alternatives(others: Sequence[Alternative], chosen: Mapping[int, str], i: int) -> str:
    """Other ways to go on, each with the same control; shown once the step itself is judged."""
    if not others:
        return ""
    n = len(others)
    rows = format_html_join(
        "",
        '<li class="other" tabindex="-1">{}<div class="text">{}</div></li>',
        (
            (
                _choices(f"other-{one.id}", f"Step {i + 1}, other way {k}", chosen.get(one.id, "")),
                maths(one.text),
            )
            for k, one in enumerate(others, 1)
        ),
    )
    title = f"{n} other way{'s' if n > 1 else ''} to go on"
    return format_html(
        '<section class="others" aria-label="{}, instead of step {}"><h3>{} <span class="quiet">optional</span></h3>'
        "<ul>{}</ul></section>", title, i + 1, title, rows,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _pick(i: int, label: str) -> SafeString:
    return format_html(
        '<a class="n" href="#s{}" tabindex="-1" aria-label="Link to step {}">{}</a>{}',
        i,
        i + 1,
        i + 1,
        _choices(f"label-{i}", f"Step {i + 1}", label),
    )


def _choices(name: str, title: str, label: str) -> SafeString:
    """The control for one label: + 0 - ?"""
    radios = format_html_join(
        "",
        '<label class="{}" title="{}"><input type="radio" name="{}" value="{}" aria-label="{}"{}>'
        '<span aria-hidden="true">{}</span></label>',
        (
            (css, word, name, value, word, _checked(value == label), GLYPHS[value])
            for value, word, css in CHOICES
        ),
    )
    return format_html('<div class="pick" role="radiogroup" aria-label="{}">{}</div>', title, radios)


@lru_cache(maxsize=8192)
def _types(i: int, chosen: tuple[str, ...], kinds: tuple[KindKey, ...]) -> SafeString:
    chips = format_html_join(
        "",
        '<label class="chip"><input type="checkbox" name="type-{}" value="{}"{}>{}{}</label>',
        ((i, kind.code, _checked(kind.code in chosen), _key(kind.key), kind.title) for kind in kinds),
    )
    label = f"What is wrong with step {i + 1}"
    return format_html('<div class="types" role="group" aria-label="{}">{}</div>', label, chips)


@lru_cache(maxsize=256)
def _key(key: str) -> str:
    return format_html("<kbd>{}</kbd>", key) if key else ""


def _tools(page: Page, i: int) -> SafeString:
    """Edit, insert, delete. A browser drops the first line break of a textarea, so one is given to it."""
    drafted, n = page.judgement, i + 1
    edit = drafted.edit.get(i)
    original = "" if edit is None else format_html(' data-original="{}"', page.steps[i])
    first = _insert(-1, "New step before it", drafted.insert.get(-1, "")) if i == 0 else ""
    return format_html(
        '<details class="tools"><summary aria-label="Edit step {}">edit</summary>{}'
        '<label>The step should be<textarea name="edit-{}"{}>\n{}</textarea></label>{}'
        '<label class="check"><input type="checkbox" name="delete-{}"{}> Delete the step</label>'
        '<button class="btn" name="following" value="{}">Label the rest like it</button></details>',
        n, first, i, original, page.steps[i] if edit is None else edit,
        _insert(i, "New step after it", drafted.insert.get(i, "")), i, _checked(i in drafted.delete), i,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _insert(i: int, title: str, text: str) -> SafeString:
    return format_html('<label>{}<textarea name="insert-{}" rows="2">\n{}</textarea></label>', title, i, text)


def _checked(holds: bool) -> str:
    return " checked" if holds else ""
