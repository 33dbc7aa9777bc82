"""A problem and its steps as token ids, and the positions at which a model's verdicts stand.

Positions are recorded while the text is put together, as places in it, and become token numbers through the offsets
that the tokenizer gives: nothing is searched for in the ids, so what a step holds cannot move another step's place.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from annotator.errors import Invalid
from scoring.prm.pieces import Piece, Place, pieces
from scoring.prm.spec import PAD, Spec
from scoring.prm.tokens import Encoded, Tokens

SIGN: Final = re.compile(r"<\|[^|<>]+\|>")  # how chat formats write their special tokens


class TemplateError(Invalid):
    """The tokenizer is not one that the variant can be written with."""

    code = "template"


class Unfit(Invalid):
    """This solution cannot be written for the model. position: the step, 0-based, None for the problem."""

    code = "unfit"

    def __init__(self, message: str, position: int | None) -> None:
        where = "The problem" if position is None else f"Step {position + 1}"
        super().__init__(f"{where} {message}", field="problem" if position is None else "steps")
        self.position = position


class Built(NamedTuple):
    """positions: of the steps' scores in ids, 0-based, in the order of steps; n_steps of them, one where the kind is
    outcome, fewer where the variant cuts. too_long: to be marked, not scored. start: of the solution's first token.
    n_tokens: before a cut."""

    ids: list[int]
    positions: list[int]
    n_steps: int
    too_long: bool
    start: int
    n_tokens: int


def inputs(spec: Spec, tokenizer: Tokens, problem: str, steps: Sequence[str]) -> list[Built]:
    """What a model has to read to score a solution: it once, or each of its prefixes where the model judges whole
    answers. Their positions together are one a step. Raises Unfit."""
    if spec.kind == "outcome":
        return [build(spec, tokenizer, problem, steps[:n]) for n in range(1, len(steps) + 1)]
    return [build(spec, tokenizer, problem, steps)]


def build(spec: Spec, tokenizer: Tokens, problem: str, steps: Sequence[str]) -> Built:
    """One input, as the variant writes it. Raises Unfit where the texts do not go into it."""
    for position, text in ((None, problem), *enumerate(steps)):
        _refuse_special(tokenizer, text, position)
    written = _Written(spec, tokenizer)
    mark = (tokenizer.named("pad") or "") if spec.mark == PAD else spec.mark
    for piece in pieces(spec, mark, problem, steps):
        written.append(piece)
    return written.built(len(steps))


def check(spec: Spec, tokenizer: Tokens) -> None:
    """That a tokenizer has what the variant needs. Raises TemplateError."""
    roles = [role for role, needed in (("bos", spec.bos == "yes"), ("pad", spec.mark == PAD)) if needed]
    for role in roles:
        if tokenizer.named(role) is None:
            raise TemplateError(f"{spec.model} needs a tokenizer with a {role} token.", field="model")
    signs = SIGN.findall("".join((*spec.before, *spec.first, *spec.step, *spec.after)))
    for name in (*spec.head.tokens, *filter(None, (spec.mark_token,)), *signs):
        if tokenizer.id_of(name) is None:
            raise TemplateError(f"{spec.model}: its tokenizer has no token {name}.", field="model")
    if len(tokenizer) >= spec.vocabulary:
        for name, known in spec.known_ids.items():
            if tokenizer.id_of(name) != known:
                raise TemplateError(
                    f"{spec.model}: token {name} is {tokenizer.id_of(name)}, not {known}.", field="model"
                )


def token_ids(spec: Spec, tokenizer: Tokens) -> tuple[int, ...]:
    """The ids of the head's tokens. Raises TemplateError."""
    check(spec, tokenizer)
    found = [tokenizer.id_of(name) for name in spec.head.tokens]
    return tuple(token for token in found if token is not None)


def _refuse_special(tokenizer: Tokens, text: str, position: int | None) -> None:
    found = next((token for token in tokenizer.special if token in text), None)
    if found:
        raise Unfit(f"holds {found}, which this model reads as a sign of its own.", position)


class _Written:
    """Ids so far, and where the steps' scores stand among them."""

    def __init__(self, spec: Spec, tokenizer: Tokens) -> None:
        self.spec, self.tokenizer = spec, tokenizer
        self.mark_id = tokenizer.id_of(spec.mark_token) if spec.mark_token else None
        self.ids: list[int] = []
        self.positions: dict[int, int] = {}  # step -> number of its token
        self.start: int | None = None
        if spec.bos != "no" and (bos := tokenizer.named("bos")) is not None:
            token = tokenizer.id_of(bos)
            if token is None:
                raise TemplateError(f"{spec.model}: its tokenizer has no token {bos}.", field="model")
            self.ids.append(token)

    def append(self, piece: Piece) -> None:
        """A piece's ids, less the marks where the variant takes them out."""
        if not piece.text and not piece.places:
            return
        encoded = self.tokenizer.encode(piece.text) if piece.text else Encoded([], [])
        starts, ends = [start for start, _ in encoded.spans], [end for _, end in encoded.spans]
        found = [(p, bisect_right(ends, p.start), bisect_left(starts, p.end) - 1) for p in piece.places]
        self._check_marks(piece, encoded, found)
        dropped = _covered(found) if self.spec.drops_mark else []
        for place, first, last in found:
            # A dropped token's place is that of the token left before it: an empty step stands where the last one does.
            kept_first, kept_last = first - bisect_left(dropped, first), last - bisect_right(dropped, last)
            self._note(place, len(self.ids) + kept_first, len(self.ids) + kept_last)
        gone = set(dropped)
        self.ids += [token for number, token in enumerate(encoded.ids) if number not in gone]

    def _note(self, place: Place, first: int, last: int) -> None:
        if place.what == "step":
            self.start = first if self.start is None else self.start
            if self.spec.read == "last_of_step":
                self.positions[place.step] = last
        elif place.step >= 0:
            at = {"mark": last, "first_of_mark": first, "before_mark": first - 1}.get(self.spec.read)
            if at is not None:
                self.positions[place.step] = at

    def _check_marks(self, piece: Piece, encoded: Encoded, found: Sequence[tuple[Place, int, int]]) -> None:
        """That marks became tokens of their own, and that nothing else did become one."""
        marks = [(place, first, last) for place, first, last in found if place.what == "mark"]
        for place, first, last in marks:
            merged = self.mark_id is not None and encoded.ids[last] != self.mark_id
            if first > last or merged:
                raise Unfit(
                    "ends so that the mark after it does not become a token of its own.", _step(place)
                )
        if self.spec.reserved:
            ours = {last for _, _, last in marks}
            for number, token in enumerate(encoded.ids):
                if token == self.mark_id and number not in ours:
                    at = encoded.spans[number][1]
                    inside = [p.step for p in piece.places if p.what == "step" and p.start < at <= p.end]
                    raise Unfit(f"holds the mark {self.spec.mark}.", inside[0] if inside else None)

    def built(self, n_steps: int) -> Built:
        spec, n_tokens = self.spec, len(self.ids)
        positions = [n_tokens - 1] if spec.read == "end" else [at for _, at in sorted(self.positions.items())]
        expected = 1 if spec.read == "end" else n_steps
        inside = all(0 <= at < n_tokens for at in positions)
        if len(positions) != expected or not inside or any(a > b for a, b in pairwise(positions)):
            raise Unfit("could not be placed among the tokens.", None)
        over = spec.max_tokens is not None and n_tokens > spec.max_tokens
        if over and spec.cuts:
            self.ids = self.ids[: spec.max_tokens]
            positions = [at for at in positions if at < len(self.ids)]
        return Built(self.ids, positions, n_steps, over and not spec.cuts, self.start or 0, n_tokens)


def _covered(found: Iterable[tuple[Place, int, int]]) -> list[int]:
    """The numbers of the marks' tokens."""
    return [n for place, first, last in found if place.what == "mark" for n in range(first, last + 1)]


def _step(place: Place) -> int | None:
    return place.step if place.step >= 0 else None
