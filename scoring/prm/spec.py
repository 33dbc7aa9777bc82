"""What a variant of a reward model says about itself: how a solution is written for it, where its verdicts are read,
and what its numbers mean. Frozen; read from catalogue.toml by catalogue.py."""

import re
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

Kind = Literal["process", "outcome", "log_ratio"]
HeadKind = Literal["linear", "mlp", "tokens", "vocabulary", "mean_row", "log_ratio"]
Readout = Literal[
    "pair_softmax",
    "full_softmax",
    "against_largest",
    "sigmoid",
    "mean_row_sigmoid",
    "difference",
    "class_sum",
    "raw",
]
Clean = Literal["strip", "prefix", "blank_lines", "number"]
ChannelName = Literal["validity", "redundancy"]

PAD: Final = "{pad}"  # as a mark: the tokenizer's own padding token
PLACEHOLDER: Final = re.compile(r"\{(problem|step|n|mark|trim|/trim)\}")
OVER_VOCABULARY: Final = (
    "tokens",
    "vocabulary",
    "mean_row",
    "log_ratio",
)  # heads that are rows of the language model's
# Which heads a readout can read; None: any.
READS: Final[dict[str, tuple[str, ...] | None]] = {
    "pair_softmax": ("linear", "mlp", "tokens"),
    "difference": ("linear", "mlp", "tokens"),
    "class_sum": ("linear", "mlp"),
    "sigmoid": ("linear", "mlp", "tokens"),
    "full_softmax": ("vocabulary",),
    "against_largest": ("vocabulary",),
    "mean_row_sigmoid": ("mean_row",),
    "raw": None,
}


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(Frozen):
    """What stands on the hidden states, and which columns it gives a position (docs/models.md has the table).

    weights: prefix of its names in the checkpoint.  bias: None where it is as the checkpoint has it.
    tokens: names in the vocabulary.  ignores: prefixes of names that may lie unused in the checkpoint.
    backbone_prefix: what stands before the backbone's own names in the checkpoint.
    """

    kind: HeadKind
    weights: str = ""
    outputs: PositiveInt = 1
    bias: bool | None = None
    tokens: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    backbone_prefix: str = "model."

    @property
    def columns(self) -> int:
        """How many numbers it gives a position."""
        named = {
            "tokens": len(self.tokens),
            "vocabulary": len(self.tokens) + 2,
            "mean_row": 1,
            "log_ratio": 1,
        }
        return named.get(self.kind, self.outputs)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in ("tokens", "vocabulary") and not self.tokens:
            raise ValueError(f"A head of kind {self.kind} names its tokens.")
        if self.kind in ("linear", "mlp") and not self.weights:
            raise ValueError(f"A head of kind {self.kind} names its weights.")
        return self


class Decide(Frozen):
    """How a score becomes a label. above: + where it is above the threshold. drop_above: + where it drops by less than
    the threshold from the step before it; the first step, from 0. argmax: + where + is the model's first choice, which
    is a score above 0.5."""

    rule: Literal["above", "drop_above", "argmax"]
    threshold: float = 0.5
    tuned_on: str  # what the threshold was tuned on, or that it was not

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.rule == "argmax" and self.threshold != 0.5:
            raise ValueError("argmax has no threshold.")
        return self


class Channel(Frozen):
    """One number a step. of: columns of the head, 0-based."""

    readout: Readout
    of: tuple[Annotated[int, Field(ge=0)], ...] = (0,)
    decide: Decide


class Spec(Frozen):
    """One variant of one model. Texts are tuples of pieces with {problem}, {step}, {n} (1-based) and {mark} in them;
    what stands between {trim} and {/trim} loses the blanks around it, as chat templates have it. With join = "ids" each
    piece is tokenised alone, with "text" all of them at once."""

    model: str
    variant: str
    kind: Kind = "process"
    backbone: str  # config.json's model_type
    architectures: tuple[str, ...] = ()  # what config.json may call the whole; empty: not known, not checked
    head: Head
    join: Literal["text", "ids"]
    bos: Literal["no", "yes", "if_any"] = "no"
    before: tuple[str, ...] = ()
    first: tuple[str, ...] = ()  # the first step, where it is written otherwise
    step: tuple[str, ...]
    after: tuple[str, ...] = ()
    mark: str = ""
    mark_token: str = ""  # the name in the vocabulary of the token that a mark must end in
    reserved: bool = False  # the mark's token is a sign of its own: a text that holds it is not scored
    read: Literal["mark", "before_mark", "first_of_mark", "last_of_step", "end"]
    clean: tuple[Clean, ...] = ()
    drops_mark: bool = False  # marks part the text for the tokenizer and are taken out of the ids
    splits_at_mark: bool = False  # a mark inside a step is written as a mark, as the reference has it
    channels: dict[ChannelName, Channel]
    coefficient: float = 1.0  # what raw numbers are multiplied by
    max_tokens: PositiveInt | None = None  # None: as many as the checkpoint's configuration says
    cuts: bool = False  # what is longer is cut, as the reference does, and its tail has no scores
    shares_prefix: bool = True
    vocabulary: int = 0  # `known_ids` hold in a vocabulary of at least this size: the published one
    known_ids: dict[str, int] = {}
    note: str = ""

    @property
    def digest(self) -> str:
        """Of everything that ids and positions depend on: the key of a cache of them, with the tokenizer's."""
        kept = self.model_dump_json(include=set(_WRITING))
        return sha256(kept.encode()).hexdigest()

    @property
    def reading(self) -> str:
        """Of everything that turns hidden states into scores. Not of thresholds: labels are a view of scores."""
        kept = self.model_dump_json(
            include={"head", "channels", "coefficient", "kind", "read"},
            exclude={"channels": {"__all__": {"decide"}}},
        )
        return sha256(kept.encode()).hexdigest()

    def limited(self, n: int) -> "Spec":
        """The same for a checkpoint that takes at most n tokens."""
        return self.model_copy(update={"max_tokens": min(n, self.max_tokens or n)})

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for check in (_texts, _reads, _channels, _kinds):
            check(self)
        return self


_WRITING: Final = (
    "kind", "join", "bos", "before", "first", "step", "after", "mark", "mark_token", "reserved", "read", "clean",
    "drops_mark", "splits_at_mark", "max_tokens", "cuts",
)  # fmt: skip


def _texts(spec: Spec) -> None:
    if _uses(spec.before, "problem") + _uses(spec.first, "problem") != 1 or _uses(spec.step, "problem"):
        raise ValueError("{problem} stands once, in `before` or in `first`.")
    for name, pieces in (("step", spec.step), ("first", spec.first)):
        if pieces and _uses(pieces, "step") != 1:
            raise ValueError(f"{{step}} stands once in `{name}`.")
    for pieces in (spec.before, spec.first, spec.step):
        for piece in pieces:
            if [name for name in PLACEHOLDER.findall(piece) if "trim" in name] not in ([], ["trim", "/trim"]):
                raise ValueError("{trim} and {/trim} stand once in a piece, in this order.")
    if _uses(spec.before, "step") or PLACEHOLDER.search("".join(spec.after)):
        raise ValueError("`before` has no {step}, `after` nothing to fill in.")


def _reads(spec: Spec) -> None:
    steps = [pieces for pieces in (spec.step, spec.first) if pieces]
    marks = [_uses(pieces, "mark") for pieces in steps]
    if spec.read in ("mark", "before_mark", "first_of_mark") and set(marks) != {1}:
        raise ValueError(f"read = {spec.read} needs one {{mark}} in each step.")
    if (any(marks) or spec.drops_mark) and not spec.mark:
        raise ValueError("`mark` is empty.")
    if spec.drops_mark and spec.read != "last_of_step":
        raise ValueError("Where marks are taken out, last_of_step is read.")
    if spec.reserved and not spec.mark_token:
        raise ValueError("A reserved mark says which token it is: mark_token.")
    if (spec.mark == PAD) > spec.drops_mark:
        raise ValueError(f"A mark {PAD} is there to be taken out: drops_mark.")
    if not spec.drops_mark and _uses(spec.before, "mark"):
        raise ValueError("`before` has a {mark} only where marks are taken out.")
    if spec.splits_at_mark and (spec.join != "ids" or any("{step}" not in pieces for pieces in steps)):
        raise ValueError("splits_at_mark needs join = ids and {step} as a piece of its own.")


def _channels(spec: Spec) -> None:
    if "validity" not in spec.channels:
        raise ValueError("A validity channel is needed.")
    k = spec.head.columns
    for name, channel in spec.channels.items():
        kinds = READS[channel.readout]
        if kinds is not None and spec.head.kind not in kinds:
            raise ValueError(
                f"channels.{name}: {channel.readout} does not read a head of kind {spec.head.kind}."
            )
        if not channel.of or max(channel.of) >= k or len(set(channel.of)) != len(channel.of):
            raise ValueError(f"channels.{name}: `of` names columns of {k}, counted from 0, each once.")
        if channel.readout != "class_sum" and len(channel.of) != 1:
            raise ValueError(f"channels.{name}: {channel.readout} reads one column.")
        if channel.readout in ("pair_softmax", "difference") and k != 2:
            raise ValueError(f"channels.{name}: {channel.readout} needs a head of two columns.")
        if channel.decide.rule == "argmax" and channel.readout not in ("pair_softmax", "against_largest"):
            raise ValueError(f"channels.{name}: argmax is not seen in {channel.readout}.")


def _kinds(spec: Spec) -> None:
    if (spec.kind == "log_ratio") != (spec.head.kind == "log_ratio"):
        raise ValueError("kind = log_ratio goes with a head of kind log_ratio.")
    if (spec.kind == "outcome") != (spec.read == "end"):
        raise ValueError("kind = outcome goes with read = end.")
    if spec.cuts and spec.max_tokens is None:
        raise ValueError("A variant that cuts says at how many max_tokens.")


def _uses(pieces: tuple[str, ...], name: str) -> int:
    return "".join(pieces).count(f"{{{name}}}")
