r"""Where the two sides of an equality begin and end, or that this is not sure.

A side reaches from its sign to the next sign, to the end of a sentence, clause, line or formula, or to a word
that surely is no part of it: one that only introduces ("so 3 + 4 = 7") or that names what is counted ("= 7
apples"). What is beside "of", "times", "mod", "dozen" and the like is only a part of what is meant, and so is
what is beside a letter or an unknown command.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from annotator.core.numerals import Token

_ENDS: Final = frozenset({"stop", "line"})
_OPENING: Final = frozenset({"open", "enter"})
_CLOSING: Final = frozenset({"close", "leave"})
_LEFT_ENDS: Final = frozenset({"(", r"\(", r"\["})
_RIGHT_ENDS: Final = frozenset({")", r"\)", r"\]"})
_COUNTED: Final = frozenset({"number", "close", "percent"})
_GOES_ON: Final = frozenset({"plus", "minus", "times", "over", "other", "unit"})
_TEX_WORD: Final = re.compile(r"^\\[a-z]+")
_WORD: Final = re.compile(r"[^\W\d_]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A number beside one of these words is only a part of what is meant.
_BOUND: Final = _words(
    "times plus minus by over than from to of per multiplied divided subtract subtracted add added negative"
    " half third quarter twice double triple doubling tripling halving squaring cubing square squared cube"
    " cubed percent dozen hundred thousand million billion trillion each more less point degrees radians root"
    " sqrt log ln lg sin cos tan sec csc cot arcsin arccos arctan exp gcd lcm max min mod modulo base"
    " remainder choose factorial pi"
)
_BOUND_BEFORE: Final = _BOUND | {"and", "or", "between"}  # the sum of 3 and 4 + 5
_SHORT: Final = _words("is so we if or in at he it on do be as us my an cm mm km kg mg ml ft lb oz mi hr")


class Side(NamedTuple):
    """tokens: as written.  word: what bounds a left side, "" where something better does.
    units: the words of what is counted, in lower case."""

    tokens: Sequence[Token]
    word: str = ""
    units: frozenset[str] = frozenset()

    @property
    def numeric(self) -> list[Token]:
        """The tokens without units; a unit that follows no number stays."""
        kept: list[Token] = []
        rest = list(reversed(self.tokens))
        while rest:
            token = rest.pop()
            if token.kind == "unit" and kept and kept[-1].kind in _COUNTED:
                _drop_power(rest)
            else:
                kept.append(token)
        return kept

    @property
    def shown(self) -> str:
        """The side as written, blanks evened out."""
        return "".join(token.text if token.is_glued else f" {token.text}" for token in self.tokens).strip()


def left(tokens: Sequence[Token], is_cut: bool) -> Side | None:
    """Return the side that ends where the tokens do. is_cut: they begin in the middle of something."""
    end = len(tokens)
    while end and tokens[end - 1].kind == "line":
        end -= 1
    depth = 0
    for start in range(end, 0, -1):
        token = tokens[start - 1]
        depth += (token.kind in _CLOSING) - (token.kind in _OPENING)
        if token.kind in _ENDS or (depth < 0 and token.text in _LEFT_ENDS):
            return _side(tokens[start:end])
        if token.kind == "word":
            is_apart = start < end and not tokens[start].is_glued
            return (
                _side(tokens[start:end], token.text)
                if is_apart and _is_word(token.text, _BOUND_BEFORE)
                else None
            )
        if token.kind == "other":
            return None
    return None if is_cut else _side(tokens[:end])


def right(tokens: Iterable[Token], is_cut: bool) -> Side | None:
    """Return the side that begins where the tokens do. is_cut: they end in the middle of something."""
    found: list[Token] = []
    rest = iter(tokens)
    depth = 0
    for token in rest:
        depth += (token.kind in _OPENING) - (token.kind in _CLOSING)
        if token.kind in _ENDS or (depth < 0 and token.text in _RIGHT_ENDS):
            return _side(found)
        if token.kind == "word":
            return _before_word(found, token, rest)
        if token.kind == "other":
            return None
        found.append(token)
    return None if is_cut else _side(found)


def _side(tokens: Sequence[Token], word: str = "", unit: str = "") -> Side | None:
    units = {unit.lower()} if unit else set()
    for token in tokens:
        if token.kind == "unit":
            words = [word.lower() for word in _WORD.findall(_TEX_WORD.sub("", token.text))]
            if not words or words[0] in _BOUND or words[-1] in _BOUND:
                return None
            units.update(words)
    return Side([token for token in tokens if token.kind not in ("enter", "leave")], word, frozenset(units))


def _before_word(found: list[Token], word: Token, rest: Iterable[Token]) -> Side | None:
    """Return the side that a word ends, if what follows the word does not go on with it."""
    if word.is_glued or not _is_word(word.text, _BOUND):
        return None
    last, ahead = word, ""
    for token in rest:
        ahead = token.kind
        if ahead != "word":
            break
        last = token
    is_mixed = last.text.lower() == "and" and ahead in ("number", "frac")  # 3 and 1/2
    goes_on = ahead in _GOES_ON or (is_mixed and any(t.kind == "over" for t in _some(rest)))
    return None if goes_on or (is_mixed and ahead == "frac") else _side(found, unit=word.text)


def _some(tokens: Iterable[Token]) -> Iterable[Token]:
    return (token for token, _ in zip(tokens, range(2), strict=False))


def _drop_power(rest: list[Token]) -> None:
    """Take a unit's power (\text{cm}^2, \text{cm}^{2}) from the end of the reversed rest."""
    texts = [token.text for token in rest[:-5:-1]]
    if texts[:1] == ["^"]:
        del rest[-4 if texts[1:2] == ["{"] and texts[3:4] == ["}"] else -2 :]


def _is_word(word: str, bound: frozenset[str]) -> bool:
    """Whether a word can bound an expression without being part of it: no variable, no operation."""
    low = word.lower()
    parts = low.split("-")
    if low in bound or parts[-1].removesuffix("s") in bound or (len(parts) > 1 and min(map(len, parts)) < 2):
        return False
    return low in _SHORT or (len(word) > 2 and not word.isupper())
