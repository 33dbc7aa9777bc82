"""A critic grades a solution: two scores for every step (as PRMBench asks), or the place of the first error (as
ProcessBench asks). Of several draws the mean score counts, or the place that most of them name.

The prompt for places counts paragraphs from 0, the one for scores counts steps from 1. Draws that cannot be read have
no vote; if none can be read, one of them is asked for again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar, Literal

from pydantic import Field

from annotator.core.labels import RIGHT, WRONG, first_error, labels_from_first_error
from synth.methods import critic_replies, prompts, repairing, settings
from synth.methods.asks import Ask, Reply, Steps, ask
from synth.methods.critic_replies import Scores, Unread
from synth.methods.judge import Unparsed
from synth.methods.replies import clean, is_refused
from synth.methods.settings import How, spec

__all__ = ["CriticHow", "Criticised", "Unparsed", "critic", "spec"]


class CriticHow(How):
    METHOD: ClassVar[str] = "critic"

    temperature: float | None = Field(0.0, ge=0, le=2, title="Temperature", description=settings.TEMPERATURE)
    asks: Literal["scores", "index"] = Field(
        "scores", title="Asks for", description="Two scores for every step, or the first error alone."
    )
    examples: int = Field(
        2, ge=0, le=2, title="Examples", description="Worked examples before the question; scores only."
    )
    n: int = Field(
        1,
        ge=1,
        le=64,
        title="Draws",
        description="The mean of the scores, or the place named most often, counts.",
    )

    def prompts(self) -> tuple[str, ...]:
        return (_PROMPTS[self.asks], repairing.PROMPT)

    def identity(self) -> dict[str, Any]:
        unused = {"examples"} if self.asks == "index" else set()
        return {name: value for name, value in super().identity().items() if name not in unused}


@dataclass(frozen=True)
class Criticised:
    """What one or more draws say of a solution.

    labels: of scores, '+' where the mean validity is above 0, else '-'; of places, '+' before the first error, '-' at
    it and '.' after.  first_error: 0-based, or NO_ERROR.  scores, redundancy_scores: means from -1 to 1, one a step;
    None where places were asked for.  redundancy_labels: '-' where the mean redundancy is above 0, else '+'; "" for
    places.  votes: (first error, draws that named it), most first; of a tie, first named first.  n_read: how many
    draws could be read.
    """

    labels: str
    first_error: int
    scores: tuple[float, ...] | None
    redundancy_labels: str
    redundancy_scores: tuple[float, ...] | None
    votes: tuple[tuple[int, int], ...]
    n_read: int
    raws: tuple[str, ...]
    repaired: bool = False


_PROMPTS = {"scores": "critic-scores-1", "index": "critic-index-1"}


def critic(problem: str, steps: Sequence[str], how: CriticHow) -> Steps[Criticised | Unparsed]:
    """Ask for scores or for the first error of a solution, `how.n` times at once."""
    messages, n_steps = _messages(problem, steps, how), len(steps)
    schema = critic_replies.schema(n_steps) if how.asks == "scores" else None
    replies = yield from ask(*(Ask(messages, how.params(n), schema, n) for n in range(how.n)))
    found, why = _count(replies, n_steps, how)
    asked_for = [reply for reply in replies if not is_refused(reply)]
    if found is not None or not asked_for:
        return found or Unparsed(why, clean(replies[-1].text))
    repair = Ask(repairing.again(messages, asked_for[-1], why), how.params(), schema)
    (reply,) = yield from ask(repair)
    found, why = _count((reply,), n_steps, how, repaired=True)
    return found or Unparsed(why, clean(reply.text))


def _messages(problem: str, steps: Sequence[str], how: CriticHow) -> tuple[Mapping[str, str], ...]:
    name = _PROMPTS[how.asks]
    found = [prompts.message("system", name, "system")]
    if how.asks == "scores":
        for example in prompts.examples(name)["examples"][: how.examples]:
            found.append(
                prompts.message("user", name, "user", problem=example["problem"], steps=example["steps"])
            )
            found.append({"role": "assistant", "content": critic_replies.written(example)})
    return (*found, prompts.message("user", name, "user", problem=problem, steps=list(steps)))


def _count(
    replies: Sequence[Reply], n_steps: int, how: CriticHow, repaired: bool = False
) -> tuple[Criticised | None, tuple[str, ...]]:
    """Return what the replies that can be read amount to, or None and what is wrong with the last of the others."""
    raws = tuple(clean(reply.text) for reply in replies)
    read: Callable[[Reply, int], Any] = (
        critic_replies.read_scores if how.asks == "scores" else critic_replies.read_index
    )
    found = [read(reply, n_steps) for reply in replies]
    readable = [one for one in found if not isinstance(one, Unread)]
    if not readable:
        return None, found[-1].reasons
    made = (
        _of_scores(readable, raws, repaired)
        if how.asks == "scores"
        else _of_places(readable, n_steps, raws, repaired)
    )
    return made, ()


def _of_scores(read: Sequence[Scores], raws: tuple[str, ...], repaired: bool) -> Criticised:
    validity = tuple(fmean(column) for column in zip(*(one.validity for one in read), strict=True))
    redundancy = tuple(fmean(column) for column in zip(*(one.redundancy for one in read), strict=True))
    labels = "".join(RIGHT if score > 0 else WRONG for score in validity)
    redundant = "".join(WRONG if score > 0 else RIGHT for score in redundancy)
    votes = _votes([first_error("".join(RIGHT if v > 0 else WRONG for v in one.validity)) for one in read])
    return Criticised(
        labels, first_error(labels), validity, redundant, redundancy, votes, len(read), raws, repaired
    )


def _of_places(read: Sequence[int], n_steps: int, raws: tuple[str, ...], repaired: bool) -> Criticised:
    votes = _votes(read)
    first = votes[0][0]
    labels = labels_from_first_error(first, n_steps)
    return Criticised(labels, first, None, "", None, votes, len(read), raws, repaired)


def _votes(places: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple(Counter(places).most_common())
