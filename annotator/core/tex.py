r"""Which spans of a text are mathematics.

Mathematics stands between \(…\), \[…\] or $$…$$, in a bare \begin{align*}…\end{align*}, or in $…$ when
what is between looks like TeX: money is not mathematics. Delimiters that are never closed are text.
Every function takes time linear in the length of the text.
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How a span is set."""

    TEXT = "text"
    INLINE = "inline"
    DISPLAY = "display"


class Span(NamedTuple):
    """A piece of a text: `text` is raw, delimiters included; `tex` what a typesetter gets, "" for text."""

    kind: Kind
    text: str
    tex: str


class _Maths(NamedTuple):
    """Mathematics that begins at some mark: its kind, its last mark (an index) and its tex."""

    kind: Kind
    last: int
    tex: str


# An environment, an escaped character (so that \$ and the \\ of \\[2pt] delimit nothing), or a dollar.
_MARK = re.compile(r"\\(?P<side>begin|end)\{(?P<env>[A-Za-z]++\*?)\}|\\.|\$", re.DOTALL)
_PAIRS = {r"\)": r"\(", r"\]": r"\["}
_KINDS = {r"\(": Kind.INLINE, r"\[": Kind.DISPLAY}
_ENVIRONMENT = re.compile(
    r"(?:align(?:at|ed)?|array|cases|eqnarray|equation|gather(?:ed)?|multline|split"
    r"|(?:[pbBvV]|small)?matrix)\*?"
)

# Below, `++` and `*+` never give back what they took, which keeps every search linear.
_WORDS_OF_TEX = re.compile(
    r"\\(?:text\w*+|math\w*+|operatorname|mbox|begin|end)\*?\s*+\{[^{}]*+\}|\\[A-Za-z]++"
)
_TWO_WORDS = re.compile(r"(?<![A-Za-z])[A-Za-z][a-z]++[,.:;]?\s++[A-Za-z][a-z]")
_SMALL_WORD = re.compile(r"\s(?:and|or|the|is|are|of|to|for|from|each|per|if|then|so|with|where|when)\s")
_LONE_WORD = re.compile(r"(?<!\S)[a-z]{2,}+(?!\S)")
_NOT_INSIDE = re.compile(r"(?<!\\)\\[(\[]|\n[^\S\n]*+\n")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
# An operator or opening bracket with nothing after it; but \mathbb{R}^+ is whole, and so is a lone +.
_DANGLING = re.compile(r"[^^_](?:[-+*/(×÷–]|\\(?:times|cdot|div|approx|pm))$", re.DOTALL)
_SURE = re.compile(r"\\[A-Za-z]|[\^_]|[A-Za-z)]\s*+[=<>]\s*+[-\w(\\]")
_TOKEN = re.compile(r"\d++(?:[.,]\d++)*+|[^\W\d_]++(?:['’][^\W\d_]++)*+|\s++|.", re.DOTALL)


def split(text: str) -> list[Span]:
    """Cut a text into spans, in order: their `text` joined is the text again, and none is empty."""
    marks = list(_MARK.finditer(text))
    closers, doubles = _closers(marks), _doubles(marks)
    spans: list[Span] = []
    done = k = 0
    while k < len(marks):
        found = _double_dollar(text, marks, doubles, k) or _closed(text, marks, closers, k)
        if found:
            start, end = marks[k].start(), marks[found.last].end()
            spans += [*_text(text[done:start]), Span(found.kind, text[start:end], found.tex)]
            done, k = end, found.last
        k += 1
    return spans + _text(text[done:])


def tokens(text: str) -> list[str]:
    """Cut a text into words, numbers, runs of whitespace and single other characters, to be compared.

    A span of mathematics is one token. The tokens joined are the text again.
    """
    found: list[str] = []
    for span in split(text):
        found += _TOKEN.findall(span.text) if span.kind is Kind.TEXT else [span.text]
    return found


def _text(text: str) -> list[Span]:
    return [Span(Kind.TEXT, text, "")] if text else []


def _closers(marks: list[re.Match[str]]) -> dict[int, int]:
    r"""Return opening mark → closing mark (indices): each \( with the next \), each $ with the next $.

    An opener that meets another of its kind first is never closed; only environments nest.
    """
    closers: dict[int, int] = {}
    last: dict[str, int] = {}
    nested: dict[str, list[int]] = {}
    for k, mark in enumerate(marks):
        name, env = mark[0], mark["env"]
        if env and mark["side"] == "begin":
            nested.setdefault(env, []).append(k)
        elif env and nested.get(env):
            closers[nested[env].pop()] = k
        elif name in _PAIRS and _PAIRS[name] in last:
            closers[last.pop(_PAIRS[name])] = k
        elif name == "$" and "$" in last:
            closers[last["$"]] = k
        if name in ("$", r"\(", r"\["):
            last[name] = k
    return closers


def _doubles(marks: list[re.Match[str]]) -> dict[int, int]:
    """Return the first mark of each $$ → the first mark of the next $$ (indices)."""
    doubles: dict[int, int] = {}
    before: int | None = None
    for k in range(len(marks) - 1):
        if marks[k][0] == marks[k + 1][0] == "$" and marks[k].end() == marks[k + 1].start():
            if before is not None and before + 2 > k:
                continue  # the second dollar of a $$ begins no other
            if before is not None:
                doubles[before] = k
            before = k
    return doubles


def _double_dollar(text: str, marks: list[re.Match[str]], doubles: dict[int, int], k: int) -> _Maths | None:
    if k not in doubles:
        return None
    tex = text[marks[k + 1].end() : marks[doubles[k]].start()]
    return _Maths(Kind.DISPLAY, doubles[k] + 1, tex) if tex.strip() and not _is_prose(tex) else None


def _closed(text: str, marks: list[re.Match[str]], closers: dict[int, int], k: int) -> _Maths | None:
    if k not in closers:
        return None
    mark, closer = marks[k], marks[closers[k]]
    tex = text[mark.end() : closer.start()]
    if mark["env"]:  # the typesetter needs the environment itself
        whole = text[mark.start() : closer.end()]
        return _Maths(Kind.DISPLAY, closers[k], whole) if _ENVIRONMENT.fullmatch(mark["env"]) else None
    after = text[closer.end() : closer.end() + 1]
    if not tex.strip() or (mark[0] == "$" and not _looks_like_tex(tex, after)):
        return None
    return _Maths(_KINDS.get(mark[0], Kind.INLINE), closers[k], tex)


def _looks_like_tex(tex: str, after: str) -> bool:
    """Say whether what stands between two dollars is mathematics; `after` is the character that follows them.

    Prices come in pairs too: in "$5 - $3 = $2" what stands between two dollars ends with a space or before a
    digit, in "$5 ($3 less)" with an opening bracket, in "$1.24. Five pencils cost $1.82" it holds words.
    """
    core, bare = tex.strip(), _ESCAPED.sub("", tex)
    if after.isdigit() or core[0] in ",;:!?" or bare.count("{") != bare.count("}"):
        return False
    if _NOT_INSIDE.search(tex) or _DANGLING.search(core) or _is_prose(tex):
        return False
    return core == tex or _is_padded_tex(tex)


def _is_padded_tex(tex: str) -> bool:
    """Say whether a text with space inside its dollars is mathematics: that needs better proof."""
    if tex.strip()[-1] in "=<>:" or _LONE_WORD.search(_WORDS_OF_TEX.sub(" ", tex)):
        return False
    on_both_sides = tex[0].isspace() and tex[-1].isspace()
    return bool(_SURE.search(tex)) or (on_both_sides and any(c.isalpha() for c in tex))


def _is_prose(tex: str) -> bool:
    words = _WORDS_OF_TEX.sub(" ", tex)
    return bool(_TWO_WORDS.search(words) or _SMALL_WORD.search(words))
