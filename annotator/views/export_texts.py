"""What an export does with labels, in words, and shown on a small example."""

from typing import NamedTuple

from annotator.actions.export_options import THRESHOLD, Chosen
from annotator.core import labels as lab
from annotator.formats import choices, options

EXAMPLE, REDUNDANT_AT = "+0--+.", 2
WORDS = {
    lab.RIGHT: ("right", "ok"), lab.NEUTRAL: ("neutral", "mid"), lab.WRONG: ("wrong", "no"),
    lab.UNJUDGED: ("–", ""),
}  # fmt: skip
MEANINGS = {
    ("neutral", "right"): "Neutral steps count as right.",
    ("neutral", "wrong"): "Neutral steps count as wrong.",
    ("neutral", "drop"): "Neutral steps have no label.",
    ("neutral", "keep"): "Neutral steps stay neutral.",
    ("redundant", "wrong"): "Steps that are only redundant count as wrong.",
    ("redundant", "neutral"): "Steps that are only redundant count as neutral.",
    ("redundant", "right"): "Steps that are only redundant count as right.",
    ("redundant", "keep"): "Steps that are only redundant stay as they are labelled.",
    ("after_first_error", "drop"): "Nothing after the first wrong step has a label.",
    ("after_first_error", "keep"): "Labels after the first wrong step are kept.",
}  # fmt: skip


class Meaning(NamedTuple):
    text: str
    is_asked: bool


class Step(NamedTuple):
    """A step of the example: how it is labelled, and what of that is written; each a word and its look."""

    labelled: tuple[str, str]
    written: tuple[str, str]


def meanings(chosen: Chosen) -> list[Meaning]:
    """A sentence for each choice that the export makes; none where the format has no labels."""
    if not chosen.format.says.labels:
        return [Meaning("Solutions without labels of steps.", False)]
    found = [
        Meaning(MEANINGS[name, getattr(chosen.usual, name)], name in chosen.given) for name in choices.VALUES
    ]
    if _is_cut(chosen.format.says):
        found.append(Meaning("A step that nobody judged ends the solution; it is never wrong.", False))
    if chosen.threshold is None:
        found.append(Meaning(f"What has only scores is right above {THRESHOLD}.", False))
    else:
        found.append(Meaning(f"Scores are right above {chosen.threshold:g}, whatever was stored.", True))
    if chosen.retired:
        found.append(Meaning("Solutions of retired items go out too.", True))
    return found


def example(chosen: Chosen) -> list[Step]:
    """Some steps as people label them, and as the format has them then; none where it has no labels."""
    says = chosen.format.says
    if not says.labels:
        return []
    labelled = EXAMPLE if says.gaps else EXAMPLE.rstrip(lab.UNJUDGED)
    written = options.resolve(labelled, chosen.usual, [REDUNDANT_AT])
    if _is_cut(says):
        written = written[: options.judged(written)].ljust(len(written), lab.UNJUDGED)
    before = [WORDS[label] for label in labelled]
    before[REDUNDANT_AT] = ("redundant", "no")
    if says.gaps:
        before[-1] = ("not judged", "")
    return [Step(was, WORDS[now]) for was, now in zip(before, written, strict=True)]


def _is_cut(says: choices.Says) -> bool:
    return says.gaps and not says.neutral
