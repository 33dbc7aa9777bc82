"""Markdown to HTML that is safe to show, for guidelines: text of a lead, so as hostile as any.

Mathematics is found as everywhere else (core.tex), before Markdown could take its stars and underscores for
emphasis, and stands in <span class="tex">, which math.js sets.
"""

import re
from functools import lru_cache
from typing import Any

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from annotator.core import tex
from annotator.templatetags.maths import maths

_TAGS = {
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "em", "strong", "s", "code", "pre",
    "blockquote", "a", "table", "thead", "tbody", "tr", "th", "td", "span",
}  # fmt: skip
_OPENING = re.compile(r"\\\[|\$\$|\\begin\{[A-Za-z]+\*?\}")
_CLOSING = {"\\[": "\\]", "$$": "$$"}
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
MOST_LINES = 60  # of one displayed formula


@lru_cache(maxsize=64)
def render(text: str) -> SafeString:
    """A guideline never changes once written, so its text is its key. Images and inline HTML are left out:
    an image would tell another server who reads."""
    return render_draft(text)


def render_draft(text: str) -> SafeString:
    """The same of a text that is still being written: nothing is kept of it."""
    html = nh3.clean(
        _parser.render(text), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"},
        allowed_classes={"span": {"tex", "block"}},
    )  # fmt: skip
    return SafeString(html)  # safe: cleaned by nh3 just above


def _inline(state: StateInline, silent: bool) -> bool:
    """A formula inside a line, where code has not taken it."""
    formula = _formulas(state).get(state.pos)
    if formula is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = formula
    state.pos += len(formula)
    return True


def _formulas(state: StateInline) -> dict[int, str]:
    """Where a formula begins in the text at hand, found once for each text."""
    found: dict[str, dict[int, str]] = state.env.setdefault("formulas", {})
    if state.src not in found:
        found[state.src] = starts = {}
        at = 0
        # Code is no mathematics: a blank line of its length keeps every formula on one side of it.
        for span in tex.split(_CODE.sub(lambda code: "\n \n".ljust(len(code[0])), state.src)):
            if span.kind is not tex.Kind.TEXT:
                starts[at] = state.src[at : at + len(span.text)]
            at += len(span.text)
    return found[state.src]


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A displayed formula that has its lines to itself: a line of it may begin with - or # as a list would."""
    end = _last_line(state, first, min(last, first + MOST_LINES))
    if end is None:
        return False
    formula = state.getLines(first, end, state.blkIndent, False).strip()
    spans = tex.split(formula)
    if len(spans) != 1 or spans[0].kind is not tex.Kind.DISPLAY:
        return False
    if not silent:
        state.push("formula", "", 0).content = formula
        state.line = end
    return True


def _last_line(state: StateBlock, first: int, last: int) -> int | None:
    """The line after the one that ends what `first` opens; looked for once, and not past another opening."""
    opening = _OPENING.match(state.src, state.bMarks[first] + state.tShift[first])
    if opening is None:
        return None
    closing = _CLOSING.get(opening[0]) or opening[0].replace("begin", "end", 1)
    for line in range(first, last):
        begin = state.bMarks[line] + state.tShift[line]
        if state.isEmpty(line) or (
            line > first and closing != "$$" and state.src.startswith(opening[0], begin)
        ):
            return None
        text = state.src[begin : state.eMarks[line]].rstrip()
        if text.endswith(closing) and (line > first or len(text) > len(opening[0])):
            return line + 1
    return None


def _show(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return maths(tokens[index].content)


_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_parser.inline.ruler.before("escape", "formula", _inline)
_parser.block.ruler.before("list", "formula", _block, {"alt": ["paragraph", "reference", "blockquote"]})
_parser.add_render_rule("formula", _show)
