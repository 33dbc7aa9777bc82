"""Foreign formats by name. Pure: bytes ↔ dataclasses, no Django."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from annotator.formats import math_shepherd, options, prm800k, prmbench, processbench, trl
from annotator.formats.reading import Source
from annotator.formats.records import CannotWrite, ExportRecord, FormatError, ImportRecord


@dataclass(frozen=True)
class Format:
    """What a format's file offers. `suffix` is what its files' names end with; `defaults` what an export does
    where the field disagrees, unless told otherwise."""

    name: str
    suffix: str
    read: Callable[[Source, str], Iterator[ImportRecord | FormatError]]
    write: Callable[[Iterable[ExportRecord]], Iterator[str]]
    refusal: Callable[[ExportRecord], CannotWrite | None]
    defaults: options.Options = options.KEEP


FORMATS: Final = {
    module.NAME: Format(
        module.NAME, module.SUFFIX, module.read, module.write, module.refusal, module.DEFAULTS
    )
    for module in (prmbench, processbench, prm800k, math_shepherd, trl)
}
