"""Markdown to HTML that is safe to show, for guidelines: text of a lead, so as hostile as any."""

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {
    "h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "em", "strong", "s", "code", "pre",
    "blockquote", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


@lru_cache(maxsize=64)
def render(text: str) -> SafeString:
    """A guideline never changes once written, so its text is its key. Images and inline HTML are left out:
    an image would tell another server who reads."""
    html = nh3.clean(
        _parser.render(text), tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}
    )
    return SafeString(html)  # safe: cleaned by nh3 just above
