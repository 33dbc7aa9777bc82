"""The beginning of an import's files, for whoever says where things are in them: nothing is written."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from annotator.actions.import_files import files_of, read, reader_named
from annotator.formats.decoding import RawRecord
from annotator.formats.guessing import places
from annotator.formats.label_studio import NAME as LABEL_STUDIO
from annotator.formats.reading import read_records
from annotator.formats.records import FormatError, ImportRecord, LoneProblem, UnreadableFile
from annotator.models import Import

FIRST = 5


@dataclass
class Sample:
    """The first records as they stand. `places`: where values are, as a map spells it -> the first one there;
    `controls`: names of Label Studio's controls; `unreadable`: why no more could be read, or ""."""

    records: list[RawRecord | FormatError] = field(default_factory=list)
    places: dict[str, Any] = field(default_factory=dict)
    controls: list[str] = field(default_factory=list)
    unreadable: str = ""


def sample(row: Import) -> Sample:
    """The first records of the import's files."""
    found = Sample()
    records = read(read_records, files_of(row))
    try:
        with closing(records):
            found.records.extend(islice(records, FIRST))
    except UnreadableFile as error:
        found.unreadable = str(error)
    raw = [record.fields for record in found.records if isinstance(record, RawRecord)]
    is_tasks = row.format == LABEL_STUDIO
    inside = [one.get("data") for one in raw] if is_tasks else raw
    found.places = places(one for one in inside if isinstance(one, dict))
    found.controls = sorted({name for one in raw for name in _controls(one)}) if is_tasks else []
    return found


def preview(row: Import, reading: Mapping[str, Any]) -> list[ImportRecord | LoneProblem | FormatError]:
    """What the first records would become. Raises Invalid naming what of the reading cannot be."""
    found: list[ImportRecord | LoneProblem | FormatError] = []
    records = read(reader_named(row.format, reading), files_of(row))
    try:
        with closing(records):
            found.extend(islice(records, FIRST))
    except UnreadableFile as error:
        found.append(error)
    return found


def _controls(task: Mapping[str, Any]) -> set[str]:
    """The names of the controls that some result of a task answers; a task may be anything."""
    names = set()
    for key in ("annotations", "predictions"):
        given = task.get(key)
        for one in given if isinstance(given, list) else ():
            results = one.get("result") if isinstance(one, dict) else ()
            for result in results if isinstance(results, list) else ():
                name = result.get("from_name") if isinstance(result, dict) else None
                names |= {name} if isinstance(name, str) else set()
    return names
