"""PRM800K's `label` object: the candidates that a labeler saw at each step, and the path taken through them.

    steps          list of {completions, human_completion, chosen_completion}
      completions        list of {text, rating: -1 | 0 | 1 | null, flagged: bool | null}, or null
      human_completion   {text} or text, or null: what the labeler wrote where every completion was wrong
      chosen_completion  0-based, or null: the human one was taken, or the labeler stopped here
    total_time     milliseconds
    finish_reason  found_error | solution | bad_problem | give_up

At a stop neither is chosen: then the path ends with completion 0, and the others are alternatives to it.
A flag says that the labeler does not know how to label the step: with no rating it is "unsure", and no
rating alone is "not judged". A human completion without a rating counts as correct, since labelers were
asked to write a correct one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import fields
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.records import Place

HUMAN: Final = "human"
FINISH_REASONS: Final = ("found_error", "solution", "bad_problem", "give_up")
MAX_TIME: Final = 10**12

Choice = int | str  # the index of a completion, or HUMAN

_LABELS: Final[Mapping[int, str]] = {-1: core.WRONG, 0: core.NEUTRAL, 1: core.RIGHT}
_RATINGS: Final = {label: rating for rating, label in _LABELS.items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text that a labeler could take at a step, with its label."""

    text: str
    label: str
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """A candidate that was not taken: it stands at `position` (0-based) of the path, in place of its step."""

    position: int
    choice: Choice
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Path:
    """The candidates that were taken, and those beside them. flagged, human: 0-based positions."""

    texts: tuple[str, ...]
    labels: str
    flagged: tuple[int, ...]
    human: tuple[int, ...]
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    place: Place
    candidates: Mapping[Choice, Candidate]
    taken: Choice | None


def read(label: RawRecord) -> Path:
    """Return the path of a `label` object; it has no step if the labeler judged none. Raises FormatError."""
    steps = [_step(raw) for raw in fields.objects(label, "steps")]
    while steps and steps[-1].taken is None:  # released data ends so now and then
        steps.pop()
    taken = [(step.taken, _taken(step)) for step in steps]
    return Path(
        texts=tuple(candidate.text for _, candidate in taken),
        labels="".join(candidate.label for _, candidate in taken),
        flagged=tuple(at for at, (_, candidate) in enumerate(taken) if candidate.is_flagged),
        human=tuple(at for at, (choice, _) in enumerate(taken) if choice == HUMAN),
        alternatives=tuple(_alternatives(steps)),
    )


def finish_reason(label: RawRecord) -> str | None:
    """Return why the labeler stopped, if the record tells."""
    reason = fields.optional(label, "finish_reason", str, "text")
    if reason is not None and reason not in FINISH_REASONS:
        raise fault(
            label.place, "finish_reason", f"must be one of {', '.join(FINISH_REASONS)}, not {shown(reason)}"
        )
    return reason


def total_time(label: RawRecord) -> float | int | None:
    """Return the milliseconds that the labeler took, as the record has them."""
    time = fields.number(label, "total_time")
    if time is not None and not 0 <= time <= MAX_TIME:
        raise fault(label.place, "total_time", f"must be milliseconds, not {shown(time)}")
    return time


def build(
    base: Mapping[str, Any] | None,
    steps: Sequence[str],
    labels: str,
    alternatives: Mapping[tuple[int, Choice], str],
    finish_reason: str | None,
    total_time: float | int | None,
) -> dict[str, Any]:
    """Return the object that says these labels of a path, through its last judged step.

    base: the object that the path came from, or None: its candidates stay, with the ratings of this
    labeler alone. alternatives: {(position, choice): label} of the base's candidates off the path.
    """
    judged = [at for at, label in enumerate(labels) if label != core.UNJUDGED]
    n_steps = 1 + max([*judged, *(position for position, _ in alternatives)], default=-1)
    reason = finish_reason if finish_reason in FINISH_REASONS else _finish_reason(labels)
    known = (base.get("steps") or []) if base else []
    built = []
    for at in range(n_steps):
        step = known[at] if at < len(known) and taken_of(known[at]) is not None else _new(steps[at])
        beside = {choice: label for (position, choice), label in alternatives.items() if position == at}
        built.append(_rated(step, labels[at], beside))
    if built and reason == "found_error" and labels[n_steps - 1] == core.WRONG:
        _stop(built[-1])
    return {"steps": built, "total_time": total_time, "finish_reason": reason}


def taken_of(step: Mapping[str, Any]) -> Choice | None:
    """Return which candidate the path takes at a step of the object, or None if it has no candidate."""
    index: int | None = step.get("chosen_completion")
    if index is not None:
        return index
    if _human_text(step.get("human_completion")):
        return HUMAN
    return 0 if step.get("completions") else None


def _step(raw: RawRecord) -> _Step:
    completions = fields.objects(raw, "completions")
    candidates: dict[Choice, Candidate] = {at: _candidate(one) for at, one in enumerate(completions)}
    index = fields.optional(raw, "chosen_completion", int, "a whole number")
    if index is not None and not 0 <= index < len(completions):
        message = f"must be one of the {len(completions)} completions, not {index}"
        raise fault(raw.place, "chosen_completion", message)
    human = _human(raw)
    if human:
        candidates[HUMAN] = human
    return _Step(raw.place, candidates, taken_of(raw.fields))


def _candidate(raw: RawRecord) -> Candidate:
    rating = fields.optional(raw, "rating", int, "a whole number")
    if rating is not None and rating not in _LABELS:
        raise fault(raw.place, "rating", f"must be -1, 0, 1 or null, not {rating}")
    is_flagged = bool(fields.optional(raw, "flagged", bool, "true, false"))
    unrated = core.UNSURE if is_flagged else core.UNJUDGED
    return Candidate(
        fields.text(raw, "text"), unrated if rating is None else _LABELS[rating], is_flagged
    )  # fmt: skip


def _human(raw: RawRecord) -> Candidate | None:
    value = raw.fields.get("human_completion")
    if isinstance(value, str):
        return Candidate(value, core.RIGHT, False) if value else None
    if value is None:
        return None
    human = fields.inner(raw, "human_completion")
    if not fields.optional(human, "text", str, "text"):
        return None
    found = _candidate(human)
    is_rated = human.fields.get("rating") is not None
    return found if is_rated else Candidate(found.text, core.RIGHT, found.is_flagged)


def _human_text(value: Any) -> Any:
    return value.get("text") if isinstance(value, dict) else value


def _taken(step: _Step) -> Candidate:
    if step.taken is None:
        raise fault(step.place, "completions", "must not be empty where later steps have a text")
    return step.candidates[step.taken]


def _alternatives(steps: Sequence[_Step]) -> list[Alternative]:
    return [
        Alternative(position, choice, candidate)
        for position, step in enumerate(steps)
        for choice, candidate in step.candidates.items()
        if choice != step.taken
    ]


def _finish_reason(labels: str) -> str:
    if core.WRONG in labels:
        return "found_error"
    return "give_up" if core.UNJUDGED in labels or core.UNSURE in labels else "solution"


def _new(text: str) -> dict[str, Any]:
    return {"completions": [{"text": text}], "human_completion": None, "chosen_completion": 0}


def _rated(step: Mapping[str, Any], label: str, beside: Mapping[Choice, str]) -> dict[str, Any]:
    """Return the step with these labels as its ratings, and no others.

    What another labeler wrote is a completion like the others here, and could be rated wrong.
    """
    taken = taken_of(step)
    labels = dict(beside) if taken is None else {**beside, taken: label}
    completions: list[tuple[Choice, Mapping[str, Any]]] = list(enumerate(step.get("completions") or []))
    human = _human_text(step.get("human_completion"))
    if human:
        completions.append((HUMAN, {"text": human}))
    rated = [
        {**completion, **_rating(labels.get(choice, core.UNJUDGED))} for choice, completion in completions
    ]
    chosen = len(rated) - 1 if taken == HUMAN else taken
    return {**step, "completions": rated, "human_completion": None, "chosen_completion": chosen}


def _rating(label: str) -> dict[str, Any]:
    return {"rating": _RATINGS.get(label), "flagged": True if label == core.UNSURE else None}


def _stop(step: dict[str, Any]) -> None:
    """Choose nothing at the step, where that still says that the path ends with completion 0."""
    if step["chosen_completion"] == 0:
        step["chosen_completion"] = None
