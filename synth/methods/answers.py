r"""Whether an answer is the reference answer: right, wrong or undecided, by math-verify and with its traps closed.

`verdict` may take for ever ("9^{9^{9^9}}") and is only to be called where it can be killed: see synth.checking. What
math-verify says is believed but for
    words       it reads "evil" and "live" as the same product of letters; words are compared as words
    subscripts  it drops them, so that a number in base 8 would be the same as one in base 10
    unread      what it cannot parse it calls unequal; here that is undecided, as is all that it fails on
and for an equality that plain arithmetic (annotator.core.answers) surely denies, which is undecided too.
"""

import re
from typing import Any, Final

from annotator.core import answers
from synth.methods.asks import Verdict

MAX: Final = 1_000  # characters of an answer; what is longer is undecided
_DELIMITED: Final = re.compile(r"\\\[(.*)\\\]|\\\((.*)\\\)|\$\$(.*)\$\$|\$([^$]*)\$", re.DOTALL)
_TEXT: Final = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf)|mbox|operatorname)\s*\{([^{}]*)\}")
_WORDS: Final = re.compile(r"[A-Za-z]?[a-z]{2,}(?:[\s,'’-]+[A-Za-z]?[a-z]*)*")
_SUBSCRIPT: Final = re.compile(r"_\{?\w+\}?")


def verdict(gold: str, answer: str) -> Verdict:
    """Return what an answer is beside the reference answer; both with or without delimiters of mathematics.

    A time-out, a lack of memory and a crash of the library are for the caller to call undecided.
    """
    ours, theirs = _bare(gold), _bare(answer)
    if not ours or not theirs or max(len(gold), len(answer)) > MAX:
        return "undecided"
    known = answers.compare(theirs, ours)
    if known == "same" or _squeezed(ours) == _squeezed(theirs):
        return "right"
    if _is_words(ours) or _is_words(theirs):
        return _of_words(ours, theirs)
    equal = _verified(ours, theirs)
    if equal is None or (equal and (known == "another" or _subscripts(ours) != _subscripts(theirs))):
        return "undecided"
    return "right" if equal else "wrong"


def _of_words(gold: str, answer: str) -> Verdict:
    """Words are right if they are the same; words against a number ("five") are not for us to decide."""
    ours, theirs = _words(gold), _words(answer)
    if ours == theirs:
        return "right"
    return "wrong" if _is_words(gold) and _is_words(answer) else "undecided"


def _verified(gold: str, answer: str) -> bool | None:
    """Whether math-verify finds the two equal; None where it could not read one or failed."""
    from math_verify import parse, verify  # with sympy: half a second

    try:
        ours, theirs = (
            parse(rf"\boxed{{{text}}}", parsing_timeout=None, raise_on_error=True) for text in (gold, answer)
        )
        if not (_is_read(ours) and _is_read(theirs)):
            return None
        return bool(
            verify(ours, theirs, allow_set_relation_comp=True, timeout_seconds=None, raise_on_error=True)
        )
    except Exception:
        return None  # whatever sympy and its parser raise on a text says nothing about the answer


def _is_read(parsed: list[Any]) -> bool:
    """Whether there is more than the text itself, which is what remains of what cannot be parsed."""
    return bool(parsed) and not isinstance(parsed[0], str)


def _bare(text: str) -> str:
    """The text without delimiters around it and a full stop; "" if its braces do not match."""
    bare = text.strip().strip("*").strip()
    found = _DELIMITED.fullmatch(bare)
    if found:
        bare = next(part for part in found.groups() if part is not None).strip()
    bare = bare.removesuffix(".").rstrip()
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", bare):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return ""
    return "" if depth else bare


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _words(text: str) -> str:
    return " ".join(_TEXT.sub(r"\1", text).split()).casefold()


def _is_words(text: str) -> bool:
    return _WORDS.fullmatch(" ".join(_TEXT.sub(r"\1", text).split())) is not None


def _subscripts(text: str) -> list[str]:
    return [found.strip("_{}") for found in _SUBSCRIPT.findall(text)]
