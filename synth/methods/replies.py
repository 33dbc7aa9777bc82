r"""What can be read from a model's reply, whatever its bytes.

Models write TeX into JSON with single backslashes, put code fences and talk around it, or think aloud before it. The
last object with the wanted members counts: what stands before it is talk, and an older grade is never picked up.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from pydantic import ValidationError

from synth.methods.asks import Reply

_MOST: Final = 200_000  # characters of a reply that are searched for JSON, from its end
_WORK: Final = 5 * _MOST  # characters that the search may read, over and over where braces do not match
_TOLD: Final = 8  # faults of a reply that are told
_BAD: Final = re.compile("[\0\ud800-\udfff]")
_THOUGHT: Final = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THINKS: Final = re.compile(r"\s*<think(?:ing)?>", re.IGNORECASE)
# TeX commands that begin like an escape of JSON: \boxed would be a backspace and "oxed". Those in n may be a new
# line and a word.
_COMMANDS: Final = re.compile(
    "bar|because|begin|beta|bigg?[lr]?|binom|bmod|boldsymbol|bot|boxed|bullet|fbox|flat|forall|frac|rangle|rceil"
    "|rfloor|rho|right|rightarrow|rm|tan|tau|text|textbf|textit|tfrac|therefore|theta|tilde|times|to|top|triangle"
    "|underbrace|underline|uparrow|upsilon"
)
_OF_N: Final = re.compile("nabla|ne|neg|neq|ngeq|ni|nleq|nmid|nonumber|not|notin|nu")
_CODE: Final = re.compile("u[0-9a-fA-F]{4}")
_BACKSLASHES: Final = re.compile(r"(\\+)(u[0-9a-fA-F]{4}|[a-zA-Z]+|.|\Z)", re.DOTALL)
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}]', re.DOTALL)
_DECODE: Final = json.JSONDecoder(strict=False).decode


def clean(text: str) -> str:
    """Return a text that every database takes: NUL and halves of surrogate pairs become U+FFFD."""
    return _BAD.sub("\ufffd", text)


def without_thinking(text: str) -> str:
    """Return what a reasoning model said after it had thought aloud; "" if it never came to an end."""
    thoughts = list(_THOUGHT.finditer(text))
    if thoughts:
        return text[thoughts[-1].end() :]
    return "" if _THINKS.match(text) else text


def unfinished(reply: Reply) -> str:
    """Say why a reply is no whole one; "" if it is."""
    if reply.finish_reason in ("refusal", "content_filter"):
        return "the model refused to answer"
    return "the reply was cut off: it must be shorter" if reply.finish_reason == "length" else ""


def is_refused(reply: Reply) -> bool:
    """Whether asking again would be refused again."""
    return reply.finish_reason in ("refusal", "content_filter")


def json_object(text: str, names: Collection[str]) -> dict[str, Any] | None:
    """Return the last JSON object in a reply that has all the named members, None if there is none.

    Its texts are clean. Objects inside another object are parts of that one.
    """
    found = None
    for value in _objects(without_thinking(text)[-_MOST:]):
        if all(name in value for name in names):
            found = value
    return found


def _objects(text: str) -> Iterator[dict[str, Any]]:
    at, work = text.find("{"), _WORK
    while at >= 0 and work > 0:
        end = _closed(text, at)
        work -= (end or len(text)) - at
        value = _decoded(text[at:end]) if end else None
        if value is not None:
            yield value
        at = text.find("{", at + 1 if value is None else end)


def _closed(text: str, start: int) -> int:
    """Return where the brace at `start` is closed, exclusive; 0 if it is not. Braces in strings do not count."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += (token[0] == "{") - (token[0] == "}")
        if not depth:
            return token.end()
    return 0


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        value = _cleaned(_DECODE(_with_escapes(text)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _with_escapes(text: str) -> str:
    r"""Double the backslashes of an object's text that cannot be meant as JSON's.

    Where single ones begin TeX commands more often than doubled ones, \\ is a new row of TeX and \neq no new line.
    """
    runs = [(len(found[1]), found[2]) for found in _BACKSLASHES.finditer(text)]
    single = sum(n == 1 and (_is_tex(after) or bool(_OF_N.fullmatch(after))) for n, after in runs)
    is_raw = single > sum(n == 2 and (after[:1].isalpha() or after in ("(", ")")) for n, after in runs)

    def one(found: re.Match[str]) -> str:
        run, after = found[1], found[2]
        if len(run) == 1:
            doubles = _is_tex(after) or (is_raw and bool(_OF_N.fullmatch(after)))
        else:
            doubles = is_raw and after != '"'
        return run * 2 + after if doubles else found[0]

    return _BACKSLASHES.sub(one, text)


def _is_tex(after: str) -> bool:
    """Whether what stands after a single backslash is TeX rather than an escape of JSON."""
    if _COMMANDS.fullmatch(after):
        return True
    return after[:1] not in tuple('bfnrt"\\/') and not _CODE.fullmatch(after)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {clean(name): _cleaned(one) for name, one in value.items()}
    return value


def told(error: ValidationError) -> tuple[str, ...]:
    """Say what is wrong with a reply's members, one sentence each, naming the place; lists count from 0."""
    found = [(".".join(str(part) for part in one["loc"]), one["msg"]) for one in error.errors()[:_TOLD]]
    return tuple(f"{place}: {message}" if place else message for place, message in found)
