"""What the review page shows after the blind commit: the claim, what machines labelled, what checks found."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from annotator.blinding import Source
from annotator.core import findings as found
from annotator.core import labels as lab
from annotator.core.keys import KindKey
from annotator.models import Annotation, Finding, Injection, RaterKind
from annotator.views import words


class Said(NamedTuple):
    """One machine's labels; `scores` as text, "" where it has none for a step; `redundant`: a flag a step."""

    who: str
    labels: str
    scores: Sequence[str]
    redundant: Sequence[bool]


class Claim(NamedTuple):
    """What the injector claimed, verbatim; `wrong` and `changed` count from 1, as it wrote them."""

    code: str
    title: str
    definition: str
    reason: str
    wrong: str
    changed: str


class Found(NamedTuple):
    """What a check found: `position` is the step's (0-based), None for the record as a whole."""

    position: int | None
    title: str
    detail: str
    meaning: str
    advice: str


def claim_of(injection: Injection, kinds: Sequence[KindKey]) -> Claim:
    own = {kind.code: kind for kind in kinds}
    usual = {kind.code: kind for kind in lab.ERROR_TYPES}
    kind = own.get(injection.error_type) or usual.get(injection.error_type)
    return Claim(
        injection.error_type,
        kind.title if kind else words.kind_title(injection.error_type),
        kind.definition if kind else "",
        injection.reason,
        ", ".join(str(step) for step in injection.claimed_wrong),
        ", ".join(str(step) for step in injection.claimed_changed),
    )


def said_by(sources: Sequence[Source]) -> list[Said]:
    """Named by kind, and by name where two are of one kind; by letter where they are not to be known yet."""
    kinds = [source.annotation.rater.kind for source in sources]
    return [_said(source, alone=kinds.count(source.annotation.rater.kind) == 1) for source in sources]


def _said(source: Source, *, alone: bool) -> Said:
    row = source.annotation
    known = row.rater.kind if alone else row.rater.name
    return Said(
        known if source.is_named else source.name,
        row.labels,
        _scores(row, source.is_named),
        [label == lab.WRONG for label in row.redundancy_labels] or [False] * row.n_steps,
    )


def differ(theirs: str, mine: str) -> bool:
    """A machine that did not judge a step does not disagree about it; the same rule is in sources.js."""
    return theirs not in (mine, ".") and mine != "."


def _scores(row: Annotation, is_named: bool) -> list[str]:
    """A share of rollouts that end right is shown as k/n only once the rater may be known: it tells what it is."""
    n = row.rater.spec.get("n") if is_named and row.rater.kind == RaterKind.ROLLOUTS else None
    scores: Sequence[Any] = row.scores if isinstance(row.scores, list) else ()
    shown = [_score(score, n) for score in scores[: row.n_steps]]
    return [*shown, *[""] * (row.n_steps - len(shown))]


def _score(score: Any, n: Any) -> str:
    if isinstance(score, bool) or not isinstance(score, int | float):
        return ""
    if isinstance(n, int) and n > 0 and abs(score * n - round(score * n)) < 1e-6:
        return f"{round(score * n)}/{n}"
    return f"{score:.2f}"


def found_in(rows: Sequence[Finding]) -> list[Found]:
    """In words; of a code that is no longer known, the code."""
    return [_found(row, found.CODES) for row in rows]


def _found(row: Finding, codes: Mapping[str, found.Code]) -> Found:
    code = codes.get(row.code)
    title = code.title if code else row.code.replace("_", " ")
    return Found(row.position, title, row.detail, code.meaning if code else "", code.advice if code else "")
