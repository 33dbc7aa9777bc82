"""Foreign formats by name. Pure: bytes ↔ dataclasses, no Django."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from annotator.formats import (
    best_of_n,
    choices,
    label_studio,
    mapping,
    math_shepherd,
    options,
    pairs,
    prm800k,
    prmbench,
    prmbench_results,
    processbench,
    processbench_results,
    readings,
    training,
    trl,
)
from annotator.formats.reading import Source
from annotator.formats.readings import BadReading
from annotator.formats.records import (
    CannotWrite,
    ExportRecord,
    FormatError,
    ImportRecord,
    LoneProblem,
)

Read = Callable[[Source, str], Iterator[ImportRecord | LoneProblem | FormatError]]


@dataclass(frozen=True)
class Format:
    """What a format's file offers. `suffix` is what its files' names end with; `defaults` what an export does
    where the field disagrees, unless told otherwise, `says` what it has words for.

    `read` is None where a reader must be told where things are, or there is none; `write` and `refusal` where
    nothing is written.
    `told`: what a reader may be told (readings.CHECKS), for formats that each group lays out as it likes.
    """

    name: str
    suffix: str
    read: Read | None
    write: Callable[[Iterable[ExportRecord]], Iterator[str]] | None = None
    refusal: Callable[[ExportRecord], CannotWrite | None] | None = None
    defaults: options.Options = options.KEEP
    told: tuple[str, ...] = ()
    says: choices.Says = choices.NOTHING


FORMATS: Final[dict[str, Format]] = {
    module.NAME: Format(
        module.NAME,
        module.SUFFIX,
        module.read,
        module.write,
        module.refusal,
        module.DEFAULTS,
        says=module.SAYS,
    )
    for module in (prmbench, processbench, prm800k, math_shepherd, trl, best_of_n)
} | {
    label_studio.NAME: Format(label_studio.NAME, ".json", label_studio.read, told=readings.LABEL_STUDIO),
    mapping.NAME: Format(mapping.NAME, ".jsonl", None, told=readings.MAPPED),
}
WRITE_ONLY: Final = {
    module.NAME: Format(
        module.NAME, module.SUFFIX, None, module.write, module.refusal, module.DEFAULTS, says=module.SAYS
    )
    for module in (prmbench_results, processbench_results)
}
# What training code reads: steps are right or wrong, and the first that nobody judged ends the solution.
_CUT: Final = choices.Says(gaps=True)
FOR_TRAINING: Final = {
    shape.name: Format(
        shape.name, training.SUFFIX, None, shape.write, shape.refusal, training.DEFAULTS, says=_CUT
    )
    for shape in training.SHAPES
} | {
    pairs.NAME: Format(pairs.NAME, pairs.SUFFIX, None, pairs.write, pairs.refusal, pairs.DEFAULTS, says=_CUT)
}
READABLE: Final = tuple(FORMATS)
FORMATS.update(WRITE_ONLY | FOR_TRAINING)
WRITABLE: Final = tuple(name for name, fmt in FORMATS.items() if fmt.write)

NOTHING: Final[Mapping[str, Any]] = {}


def reader(name: str, reading: Mapping[str, Any] = NOTHING) -> Read:
    """Return what reads a format's files, told the values in `reading` (see readings.complete).

    Raises BadReading (a ValueError) naming the value that is missing, unknown or cannot be.
    """
    fmt = FORMATS[name]
    told = readings.complete(fmt.name, fmt.told, reading)
    if fmt.name == mapping.NAME:
        return readings.mapped_reader(told)
    if fmt.name == label_studio.NAME:
        return readings.label_studio_reader(told)
    if fmt.read is None:
        raise BadReading("format", f"{name} files hold no solutions.")
    return fmt.read


__all__ = ["FORMATS", "READABLE", "WRITABLE", "BadReading", "Format", "Read", "reader"]
