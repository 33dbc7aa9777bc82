"""A solution's text as steps."""

import re
from typing import Final, Literal

SPLITS: Final = ("blank-line", "numbered", "none")

Split = Literal["blank-line", "numbered", "none"]

_BLANK_LINE: Final = re.compile(r"\n[ \t\r]*\n\s*")
_NUMBER: Final = re.compile(r"^[ \t]*(?:[#*]+[ \t]*)?(?:[Ss]tep[ \t]+)?(\d{1,4})[ \t]*[.:)]", re.MULTILINE)


def split(text: str, how: Split) -> tuple[str, ...]:
    """Return the steps of a text, without blanks around them; none if it has nothing but blanks.

    blank-line: a blank line ends a step.  numbered: a line that begins "1." (2:, 3), Step 4: …) begins one,
    if its number is the next; what stands before the first is a step too.  none: the text is one step.
    """
    if how == "blank-line":
        parts = _BLANK_LINE.split(text)
    elif how == "numbered":
        starts = _starts(text)
        parts = [text[a:b] for a, b in zip([0, *starts], [*starts, len(text)], strict=True)]
    else:
        parts = [text]
    return tuple(part.strip() for part in parts if part.strip())


def _starts(text: str) -> list[int]:
    """Return where the lines begin that are numbered 1, 2, 3 and so on."""
    starts: list[int] = []
    for found in _NUMBER.finditer(text):
        if int(found[1]) == len(starts) + 1:
            starts.append(found.start())
    return starts
