r"""The tokens of arithmetic in a text: numbers and operators in plain, TeX and Unicode spelling, the rest.

Every character is in one token, so nothing can be overlooked between two. A dollar sign is a space: money and
mathematics read alike ("$5 - $3 = $2", "$5 - 3 = 2$").
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# `line` and `stop` end an expression where no bracket is open; `other` is whatever makes it unsure.
_TOKEN: Final = re.compile(
    r"""
      (?P<number>\d{1,3}(?:(?:,|\{,\}|,\\!|\\,)\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)
    | (?P<space>[^\S\n]|~|&|\\?\$|\\[,;:!\ ]|\\(?:quad|qquad|left|right|big|Big|displaystyle)(?![A-Za-z])
        |(?<![\d)])\*\*|\*\*(?![\d(])|\^(?:\\circ|\{\\circ\})|°)
    | (?P<times>\*(?!\*)|×|·|⋅|\\(?:times|cdot)(?![A-Za-z])|(?<=[\d\ $)])[xX](?=\ ?[$\d]))
    | (?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    | (?P<line>\n|\\\\(?:\[[^\]\n]{0,9}\])?
        |\\(?:begin|end)\{(?:align(?:ed)?|equation|gather(?:ed)?|split)\*?\})
    | (?P<plus>\+)
    | (?P<minus>[-−](?![-−]))
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<over>/|÷|\\div(?![A-Za-z]))
    | (?P<power>\^|\*\*)
    | (?P<percent>\\?%)
    | (?P<frac>\\[dtc]?frac(?![A-Za-z]))
    | (?P<sqrt>\\sqrt(?![A-Za-z]))
    | (?P<boxed>\\boxed(?![A-Za-z]))
    | (?P<enter>\\[(\[])
    | (?P<leave>\\[)\]])
    | (?P<stop>[,;.](?=[\s\\$*"”]|$)|(?<![\s:]):(?=[\s*$\\])|[<>≤≥≠⇒→]
        |\\(?:leq?|geq?|neq?|lt|gt|implies|Rightarrow|rightarrow|Longrightarrow|iff|therefore)(?![A-Za-z]))
    | (?P<unit>\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]{0,60}\})
    | (?P<other>\\[A-Za-z]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """`is_glued`: nothing stands between it and the token before."""

    kind: str
    text: str
    is_glued: bool


def tokens(text: str) -> Iterator[Token]:
    """Cut a text into tokens, one by one; `space` is left out but for what it does to `is_glued`."""
    is_glued = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind != "space":
            yield Token(kind, match[0], is_glued)
        is_glued = kind != "space"
