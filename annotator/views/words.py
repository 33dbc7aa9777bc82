"""Codes as people read them, for several pages."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from annotator.core import labels as lab
from annotator.models import Annotation, BlindShows, Decision, Item, Phase, Protocol

KINDS = {kind.code: kind.title for kind in lab.ERROR_TYPES} | {lab.MULTI_SOLUTIONS: "another solution"}
DECISION_LOOK = {
    Decision.AGREED: "ok",
    Decision.SETTLED: "accent",
    Decision.CONFLICTED: "no",
    Decision.INCOMPLETE: "quiet",
}


class Mark(NamedTuple):
    """A label on screen: colour, sign and word, so that colour never speaks alone."""

    look: str
    sign: str
    word: str


MARKS = {
    lab.RIGHT: Mark("label-right", "✓", "correct"),
    lab.NEUTRAL: Mark("label-neutral", "–", "neutral"),
    lab.WRONG: Mark("label-wrong", "✗", "wrong"),
    lab.UNSURE: Mark("label-unsure", "?", "unsure"),
    lab.UNJUDGED: Mark("label-none", "·", "not judged"),
}


def kind_title(code: str, own: Iterable[Mapping[str, str]] = ()) -> str:
    """`own`: the error types of a project, where they are not the usual ones (core.kinds)."""
    titles = {kind["code"]: kind["title"] for kind in own}
    return titles.get(code) or KINDS.get(code, code.replace("_", " ")) or "no kind"


def duration(ms: float | None) -> str:
    """Milliseconds as people say them: "45 s", "3 min", "2 h 05"; "–" for none."""
    if ms is None:
        return "–"
    seconds = round(ms / 1000)
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02}"


def saw(annotation: Annotation, protocol: str) -> str:
    """What a person had been shown when they said this; "–" where that was nothing but the solution."""
    is_injection = protocol == Protocol.VERIFY_INJECTION and annotation.blind_shows
    shows = [BlindShows(annotation.blind_shows).label] if is_injection else []
    if not annotation.labels_first:
        shows.append("what machines say, from the beginning")
    elif annotation.phase == Phase.REVEALED:
        shows.append("after labelling, what machines say")
    return "; ".join(shows) or "–"


def decision_look(item: Item) -> str:
    return DECISION_LOOK[Decision(item.decision)]


def told_of(n: int, skipped: Mapping[str, int]) -> str:
    """What an act on many items did: "3 items changed; 2 are held"."""
    left = "; ".join(f"{count:,} {why}" for why, count in skipped.items())
    changed = f"{n:,} item{'s' * (n != 1)} changed" if n else "Nothing changed"
    return f"{changed}; {left}." if left else f"{changed}."
