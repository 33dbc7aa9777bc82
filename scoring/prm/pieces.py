"""A solution as pieces of text to tokenise, with the places of its steps and marks in them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from scoring.prm.spec import PLACEHOLDER, Spec

PREFIX: Final = re.compile(
    r"^(?:Step\s*\d+\.\s*|\d+\.\s*)", re.IGNORECASE
)  # "Step 3. ", "3. ", not "Step 3: "


class Place(NamedTuple):
    """Where in a piece something stands: characters, `end` exclusive. step: 0-based, -1 for a mark before all."""

    what: Literal["step", "mark"]
    step: int
    start: int
    end: int


@dataclass
class Piece:
    """A text that is tokenised in one go."""

    text: str = ""
    places: list[Place] = field(default_factory=list)

    def add(self, text: str, what: Literal["step", "mark", ""] = "", step: int = -1) -> None:
        if what:
            self.places.append(Place(what, step, len(self.text), len(self.text) + len(text)))
        self.text += text

    def trim(self, start: int) -> None:
        """Take the blanks around what stands from `start` on away."""
        tail = self.text[start:]
        left = len(tail) - len(tail.lstrip())
        self.text = self.text[:start] + tail.strip()
        moved = [(max(p.start - left, start), max(p.end - left, start)) for p in self.places]
        self.places = [
            place
            if place.end <= start
            else place._replace(start=min(a, len(self.text)), end=min(b, len(self.text)))
            for place, (a, b) in zip(self.places, moved, strict=True)
        ]

    def __iadd__(self, other: "Piece") -> "Piece":
        at = len(self.text)
        self.places += [Place(p.what, p.step, p.start + at, p.end + at) for p in other.places]
        self.text += other.text
        return self


def pieces(spec: Spec, mark: str, problem: str, steps: Sequence[str]) -> Iterator[Piece]:
    """What is tokenised in one go: each part of the template alone, or all of them at once."""
    parts = list(_parts(spec, mark, problem, steps))
    if spec.join == "ids":
        yield from parts
        return
    whole = Piece()
    for part in parts:
        whole += part
    yield whole


def _parts(spec: Spec, mark: str, problem: str, steps: Sequence[str]) -> Iterator[Piece]:
    yield from (_filled(text, problem, "", -1, mark) for text in spec.before)
    for at, raw in enumerate(steps):
        step = cleaned(spec, raw, at + 1)
        for text in spec.first if spec.first and at == 0 else spec.step:
            if spec.splits_at_mark and text == "{step}":
                yield from _split(step, at, mark)
            else:
                yield _filled(text, problem, step, at, mark)
    yield from (_filled(text, problem, "", -1, mark) for text in spec.after)


def _filled(text: str, problem: str, step: str, at: int, mark: str) -> Piece:
    """Filled in once: what a step holds is never taken for a placeholder."""
    piece, start, kinds = Piece(), 0, {"problem": problem, "n": str(at + 1)}
    for number, part in enumerate(PLACEHOLDER.split(text)):
        if number % 2 == 0:
            piece.add(part)
        elif part == "step":
            piece.add(step, "step", at)
        elif part == "mark":
            piece.add(mark, "mark", at)
        elif part == "trim":
            start = len(piece.text)
        elif part == "/trim":
            piece.trim(start)
        else:
            piece.add(kinds[part])
    return piece


def _split(step: str, at: int, mark: str) -> Iterator[Piece]:
    """Its lines, with marks between them that no score is read at."""
    for number, line in enumerate(step.split(mark)):
        if number:
            yield Piece(mark)
        piece = Piece()
        piece.add(line, "step", at)
        yield piece


def cleaned(spec: Spec, step: str, n: int) -> str:
    """A step as the variant hands it on. n: 1-based."""
    for way in spec.clean:
        if way == "strip":
            step = step.strip()
        elif way == "prefix":
            step = PREFIX.sub("", step.strip())
        elif way == "blank_lines":
            step = step.replace("\n\n", "")
        elif not step.startswith(("Step", "step")):  # number
            step = f"Step {n}: {step}"
    return step
