"""What a reader is told of files that a group has laid out as it likes: names and values that JSON can keep.

map        where our words stand, as mapping.parse_map reads it; label_studio: within a task's `data`
split      how `response` becomes steps: blank-line, numbered or none
zero       what 0 means among `labels`: neutral, wrong, or "" for not said (then a 0 is a bad record)
threshold  from 0 to 1: a step that has only a score is right above it
control    label_studio: how the names of the controls that label steps begin
first      label_studio: the number of the first step in control names, 0 or 1
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from annotator.formats import label_studio, mapped
from annotator.formats.mapping import Map, parse_map
from annotator.formats.reading import Source
from annotator.formats.records import FormatError, ImportRecord, LoneProblem
from annotator.formats.splitting import SPLITS

MAPPED: Final = ("map", "split", "zero", "threshold")
LABEL_STUDIO: Final = ("map", "split", "control", "first")
ZEROS: Final = ("neutral", "wrong")
JUDGED: Final = ("labels", "scores", "first_error", "rater")
# In a Label Studio task the labels are answers of controls, not fields of `data`.
IN_DATA: Final = ("problem", "answer", "response", "steps", "id", "group", "meta")
USUAL_DATA: Final = "problem=problem,steps=steps"
MAX_TEXT: Final = 4_000

Record = ImportRecord | LoneProblem | FormatError


class BadReading(ValueError):
    """A reader was told something that cannot be; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def complete(name: str, told: tuple[str, ...], reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reading with a value for each name in `told`. Raises BadReading.

    What is None or "" counts as not given. A map that is not given is "", or Label Studio's usual one.
    """
    given = {key: value for key, value in reading.items() if value is not None and value != ""}
    for key in given:
        if key not in told:
            raise BadReading(key, f"{name} files need no {key}." if key in CHECKS else f"{key} is unknown.")
    usual: dict[str, Any] = {
        "map": "",
        "split": "none",
        "zero": "",
        "threshold": 0.5,
        "control": "",
        "first": 0,
    }
    if name == label_studio.NAME:
        usual["map"] = USUAL_DATA
    full = {key: given.get(key, usual[key]) for key in told}
    for key in given:
        CHECKS[key](key, given[key])
    if told:
        _check_map(name, parse(full["map"]))
    return full


def parse(text: str) -> Map:
    """Return the map that a text spells. Raises BadReading."""
    if not text:
        raise BadReading("map", "Say where things are, such as problem=question,steps=solution.steps.")
    try:
        return parse_map(text)
    except ValueError as error:
        raise BadReading("map", f"The map cannot be read: {error}.") from error


def mapped_reader(told: Mapping[str, Any]) -> Callable[[Source, str], Iterator[Record]]:
    """Return the reader of a group's own JSON lines. told: complete."""
    of = parse(told["map"])

    def read(source: Source, name: str) -> Iterator[Record]:
        zero = told["zero"] or None
        return mapped.read_solutions(source, name, of, told["split"], zero, told["threshold"])

    return read


def label_studio_reader(told: Mapping[str, Any]) -> Callable[[Source, str], Iterator[Record]]:
    """Return the reader of a Label Studio project. told: complete."""
    layout = label_studio.Layout(parse(told["map"]), told["split"], told["control"], first=told["first"])

    def read(source: Source, name: str) -> Iterator[Record]:
        return label_studio.read(source, name, layout)

    return read


def _check_map(name: str, of: Map) -> None:
    has_solution = "response" in of or "steps" in of
    if "problem" not in of:
        raise BadReading("map", "The map must say where the problem is: problem=….")
    if "digest" in of:
        raise BadReading("map", "A digest is of solutions that are here already: it is for annotations.")
    if name == label_studio.NAME and not has_solution:
        raise BadReading("map", "The map must say where the steps or the response are.")
    for word in JUDGED:
        if word in of and name == label_studio.NAME:
            raise BadReading(
                "map", f"In Label Studio's files {word} need no place: answers of controls tell."
            )
        if word in of and not has_solution:
            raise BadReading("map", f"Without steps or a response there is nothing that {word} could be of.")


def _text(key: str, value: Any) -> None:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadReading(key, f"It must be text of at most {MAX_TEXT} characters.")


def _split(key: str, value: Any) -> None:
    if value not in SPLITS:
        raise BadReading(key, f"Choose one of {', '.join(SPLITS)}.")


def _zero(key: str, value: Any) -> None:
    if value not in ZEROS:
        raise BadReading(key, f"Choose one of {', '.join(ZEROS)}.")


def _threshold(key: str, value: Any) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise BadReading(key, "Choose a number from 0 to 1.")


def _first(key: str, value: Any) -> None:
    if type(value) is not int or value not in (0, 1):
        raise BadReading(key, "The first step's number is 0 or 1.")


CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "map": _text, "split": _split, "zero": _zero, "threshold": _threshold, "control": _text, "first": _first,
}  # fmt: skip
