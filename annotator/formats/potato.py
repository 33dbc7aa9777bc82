"""Potato's process rewards, as its exporter writes them (prm_training_data.jsonl): read only.

    instance_id, annotator   text
    mode                     "first_error" (its default) or "per_step"
    steps                    list of {index (0-based), reward: 1 | 0 | -1 | null, source: "ai" | "human",
                             verified}

The records hold neither problem nor step text, so they judge solutions that are here already under that id.
Three things do not mean what they seem to:

- In first-error mode every step after the first error has reward -1, though nobody judged it: '.' here.
- "Accept all" makes every label of the LLM "verified", opened or not. So what the LLM said counts only where
  a person changed it ("human"), unless `trust_verified`.
- Without a neutral button an unmarked step is stored as 0, and the file does not say which it was. So 0 is
  "not judged" unless `neutral`.
"""

from collections.abc import Iterator
from typing import Final

from annotator.core import labels as core
from annotator.formats import fields, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import AnnotationRecord, FormatError

NAME: Final = "potato"
MAX_STEPS: Final = 10_000

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_REWARDS: Final = {1: core.RIGHT, -1: core.WRONG}


def read(
    source: Source, name: str, trust_verified: bool = False, neutral: bool = False
) -> Iterator[AnnotationRecord | FormatError]:
    """Yield a file's judgements, as long as their last step; what is not in them nobody judged.

    trust_verified: count an LLM's label that is marked as verified.  neutral: the project had the neutral
    button, so 0 is a judgement. Raises UnreadableFile.
    """
    return convert(read_records(source, name), lambda raw: _annotation(raw, trust_verified, neutral))


def _annotation(raw: RawRecord, trust_verified: bool, neutral: bool) -> AnnotationRecord:
    foreign_id = fields.identifier(raw, "instance_id")
    annotator = fields.optional(raw, "annotator", str, "text") or ""
    steps = _steps(raw)
    rewards = {at: _label(step, neutral) for at, step in steps.items()}
    labels = [core.UNJUDGED] * (max(steps) + 1)
    for at, step in steps.items():
        if _counts(step, trust_verified):
            labels[at] = rewards[at]
    if fields.optional(raw, "mode", str, "text") != "per_step":
        wrong = [at for at, label in rewards.items() if label == core.WRONG]
        stop = min(wrong) + 1 if wrong else len(labels)
        labels[stop:] = core.UNJUDGED * (len(labels) - stop)
    extra = verbatim.others(_FORM, raw, ("instance_id", "annotator"))
    return AnnotationRecord(
        raw.place, foreign_id, annotator=annotator[: fields.MAX_RATER], labels="".join(labels), extra=extra
    )  # fmt: skip


def _steps(raw: RawRecord) -> dict[int, RawRecord]:
    """Return the steps by their index, which need not be in order."""
    found: dict[int, RawRecord] = {}
    for step in fields.objects(raw, "steps"):
        at = fields.whole_number(step, "index")
        if not 0 <= at < MAX_STEPS:
            raise fault(step.place, "index", f"must be from 0 to {MAX_STEPS - 1}, not {at}")
        if at in found:
            raise fault(step.place, "index", f"is {at}, as another step's is")
        found[at] = step
    if not found:
        raise fault(raw.place, "steps", "must have at least one step")
    return found


def _label(step: RawRecord, neutral: bool) -> str:
    reward = fields.number(step, "reward")
    if reward is None or (reward == 0 and not neutral):
        return core.UNJUDGED
    if reward not in (-1, 0, 1):
        raise fault(step.place, "reward", f"must be 1, 0, -1 or null, not {shown(reward)}")
    return core.NEUTRAL if reward == 0 else _REWARDS[int(reward)]


def _counts(step: RawRecord, trust_verified: bool) -> bool:
    """Whether the label is a person's."""
    is_verified = fields.optional(step, "verified", bool, "true, false")
    return fields.optional(step, "source", str, "text") != "ai" or (trust_verified and bool(is_verified))
