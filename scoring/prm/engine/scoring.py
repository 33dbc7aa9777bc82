"""Solutions in, step scores out, a batch at a time: each batch is a piece that can be stored."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np

from scoring.prm import batching, readout, template
from scoring.prm.engine.forward import Floats, Layout, NoRoom, compute
from scoring.prm.engine.loading import Model
from scoring.prm.kept import Kept
from scoring.prm.spec import ChannelName, Spec
from scoring.prm.template import Built
from scoring.prm.tokens import Tokens

# So many solutions are written and sorted at a time: enough for full batches, and a bound on memory.
WINDOW = 8_192
# Solutions whose problems begin with the same so many characters go together: a changed problem often begins as its
# parent. Only what is computed once hangs on it, no score.
ALIKE = 24


class Solution(NamedTuple):
    """What is scored; `key` is the caller's name for it."""

    key: str
    problem: str
    steps: Sequence[str]


@dataclass(frozen=True)
class Scored:
    """Scores by channel, a number a step (fewer where a variant cuts). None where it is `too_long` for the model or
    `refused`: why, and at which `position` (0-based; None: the problem). `n_tokens` of the text as it was computed."""

    key: str
    channels: Mapping[ChannelName, Sequence[float]] = field(default_factory=dict)
    n_tokens: int = 0
    too_long: bool = False
    refused: str = ""
    position: int | None = None


class Planned(NamedTuple):
    """A batch before it is computed: its name follows from its members' keys alone."""

    name: str
    keys: tuple[str, ...]
    n_useful: int
    n_computed: int


@dataclass(frozen=True)
class Written:
    """A solution as token ids; one text, or one a step where a model judges only whole answers."""

    key: str
    group: str
    texts: tuple[Built, ...] = ()
    refused: str = ""
    position: int | None = None

    @property
    def is_scored(self) -> bool:
        return bool(self.texts) and not any(text.too_long for text in self.texts)

    @property
    def n_tokens(self) -> int:
        return max((len(text.ids) for text in self.texts), default=0)


def write(spec: Spec, tokens: Tokens, solution: Solution, kept: Kept | None = None) -> Written:
    """Write a solution as the model is to read it, or say why it cannot be."""
    key, problem, steps = solution
    group = problem[:ALIKE]
    try:
        texts = kept.find(spec, tokens, problem, steps) if kept else None
        if texts is None:
            texts = template.inputs(spec, tokens, problem, steps)
            if kept:
                kept.keep(spec, tokens, problem, steps, texts)
    except template.Unfit as unfit:
        return Written(key, group, refused=str(unfit), position=unfit.position)
    return Written(key, group, tuple(texts))


class Window:
    """Solutions that are laid out together: their texts one after another, and whose each is."""

    def __init__(self, spec: Spec, written: Iterable[Written]) -> None:
        self.spec = spec
        self.written = [each for each in written if each.is_scored]
        self.places = [(which, n) for which, each in enumerate(self.written) for n in range(len(each.texts))]
        self.texts = [self.written[which].texts[n] for which, n in self.places]

    def batches(self, texts: Sequence[int], budget: int, layout: Layout) -> Iterator[batching.Batch]:
        """Some of the texts in batches of at most `budget` tokens."""
        ids = [self.texts[k].ids for k in texts]
        groups = [self.written[self.places[k][0]].group for k in texts]
        if layout == "padded":
            found = batching.padded(ids, budget)
        else:
            found = batching.packed(ids, groups, budget, layout == "shared")
        for batch in found:
            yield batch._replace(members=tuple(texts[k] for k in batch.members))

    def by_solution(self, budget: int) -> Iterator[tuple[tuple[str, ...], batching.Batch]]:
        """Batches of texts as batches of solutions: a solution is where its first text is."""
        seen: set[int] = set()
        for batch in self.batches(range(len(self.texts)), budget, layout_of(self.spec)):
            owners = dict.fromkeys(self.places[k][0] for k in batch.members)
            new = [which for which in owners if which not in seen]
            seen.update(new)
            if new:
                yield tuple(self.written[which].key for which in new), batch


def layout_of(spec: Spec) -> Layout:
    """Prefixes are shared where the model's texts allow it."""
    return "shared" if spec.shares_prefix else "packed"


def plan(
    spec: Spec,
    tokens: Tokens,
    inputs: Iterable[tuple[str, str, Sequence[str]]],
    budget: int,
    kept: Kept | None = None,
) -> Iterator[Planned]:
    """Which solutions go together, in batches of about `budget` computed tokens. Solutions without a score (too long,
    refused) are in the first batch of their window, so that every solution is in exactly one."""
    for written in _windows(spec, tokens, inputs, kept):
        rest = tuple(each.key for each in written if not each.is_scored)
        for keys, batch in Window(spec, written).by_solution(budget):
            yield Planned(batching.key_of((*keys, *rest)), (*keys, *rest), batch.n_useful, batch.n_computed)
            rest = ()
        if rest:
            yield Planned(batching.key_of(rest), rest, 0, 0)


def _windows(
    spec: Spec, tokens: Tokens, inputs: Iterable[tuple[str, str, Sequence[str]]], kept: Kept | None
) -> Iterator[list[Written]]:
    stream = (write(spec, tokens, Solution(*each), kept) for each in inputs)
    while written := list(islice(stream, WINDOW)):
        yield written


def score(
    model: Model,
    inputs: Iterable[tuple[str, str, Sequence[str]]],
    token_budget: int | None = None,
    *,
    layout: Layout | None = None,
    kept: Kept | None = None,
) -> Iterator[list[Scored]]:
    """Score (key, problem, steps): a list of Scored a batch, each solution once, the longest first within a window.
    While a batch is with the caller, a GPU already computes the next. Where memory runs out, model.budget is halved; a
    solution that has no room by itself, or whose numbers are not finite, is refused. Raises ReadoutError."""
    model.budget = token_budget or model.budget
    layout = layout or layout_of(model.spec)
    for written in _windows(model.spec, model.tokens, inputs, kept):
        if without := [_without(each) for each in written if not each.is_scored]:
            yield without
        yield from score_written(model, written, layout)


def _without(each: Written) -> Scored:
    return Scored(each.key, {}, each.n_tokens, not each.refused, each.refused, each.position)


def score_written(model: Model, written: Iterable[Written], layout: Layout) -> Iterator[list[Scored]]:
    """Score what is already token ids, and alone what came out not finite: a number that is none spreads to texts that
    it was computed with."""
    window = Window(model.spec, written)
    gathering = Gathering(window)
    yield from _gathered(model, window, layout, gathering)
    for each in gathering.odd:
        alone = Window(model.spec, [each])
        yield from _gathered(model, alone, layout, Gathering(alone, is_last=True))


def _gathered(model: Model, window: Window, layout: Layout, gathering: "Gathering") -> Iterator[list[Scored]]:
    """One batch is always started ahead of the one that is waited for."""
    ahead: deque[Started] = deque()
    for part in _started(model, window, layout):
        ahead.append(part)
        if len(ahead) > 1 and (done := gathering.add(*ahead.popleft())):
            yield done
    while ahead:
        if done := gathering.add(*ahead.popleft()):
            yield done


# Indexes of a window's texts, and what waits for their columns.
Started = tuple[list[int], Callable[[], list[Floats]]]


def _started(model: Model, window: Window, layout: Layout) -> Iterator[Started]:
    """Batches as they are started. Once memory has run out, what is left is laid out anew in smaller ones."""
    budget = model.budget
    todo = deque(window.batches(range(len(window.texts)), budget, layout))
    while todo:
        members = todo.popleft().members
        for part, wait in compute(model, [window.texts[k] for k in members], layout):
            yield [members[k] for k in part], wait
        if model.budget < budget:
            budget = model.budget
            left = [k for batch in todo for k in batch.members]
            todo = deque(window.batches(left, budget, layout))


class Gathering:
    """Columns of texts as they come, and solutions once all of theirs are there. Those whose columns are not finite
    are `odd`, to be computed alone, or refused where that was the last try."""

    def __init__(self, window: Window, is_last: bool = False) -> None:
        self.window, self.is_last = window, is_last
        self.found: dict[int, dict[int, Floats]] = {}
        self.refused: set[int] = set()
        self.odd: list[Written] = []

    def add(self, part: Sequence[int], wait: Callable[[], list[Floats]]) -> list[Scored]:
        """Take a part's columns in; gives the solutions that are complete with it."""
        try:
            found = wait()
        except NoRoom as refused:
            owners = {self.window.places[k][0] for k in part}
            return [self._refuse(which, str(refused)) for which in sorted(owners - self.refused)]
        return [one for k, columns in zip(part, found, strict=True) if (one := self._add(k, columns))]

    def _add(self, k: int, columns: Floats) -> Scored | None:
        which, n = self.window.places[k]
        if which in self.refused:
            return None
        mine = self.found.setdefault(which, {})
        mine[n] = columns
        return self._scored(which) if len(mine) == len(self.window.written[which].texts) else None

    def _refuse(self, which: int, why: str) -> Scored:
        self.found.pop(which, None)
        self.refused.add(which)
        each = self.window.written[which]
        return Scored(each.key, {}, each.n_tokens, refused=why)

    def _scored(self, which: int) -> Scored | None:
        mine = self.found.pop(which)
        columns = np.concatenate([mine[n] for n in range(len(mine))])
        each = self.window.written[which]
        try:
            return Scored(each.key, readout.values(self.window.spec, columns), each.n_tokens)
        except readout.NotFinite as refused:
            if self.is_last:
                return self._refuse(which, str(refused))
            self.odd.append(each)
            return None
