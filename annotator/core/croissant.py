"""Croissant metadata of a release (http://mlcommons.org/croissant/1.0): JSON-LD that dataset tools read. Pure.

What a publisher alone knows (address, date, creator, a licence that nobody has stated) is left out, never made up.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from annotator.core.dataset_card import RECORDS, configurations
from annotator.core.datasheet_facts import Facts
from annotator.core.datasheet_limits import summary
from annotator.core.record_columns import COLUMNS, Column, Kind

CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.0"
# The context of the specification's appendix: which short names are Croissant's.
_JSON: Final = ("data", "examples")
_OURS: Final = (
    "citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated",
    "replace", "separator", "source", "subField", "transform", "equivalentProperty", "samplingRate",
)  # fmt: skip
NESTED: Final = ", ".join(column.name for column in COLUMNS if not column.is_plain)
CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{name: {"@id": f"cr:{name}", "@type": "@json"} for name in _JSON},
    **{name: f"cr:{name}" for name in _OURS},
}
ENCODINGS: Final = {
    ".jsonl": "application/jsonlines",
    ".json": "application/json",
    ".parquet": "application/x-parquet",
    ".md": "text/markdown",
    ".html": "text/html",
}
TYPES: Final = {
    Kind.TEXT: "sc:Text",
    Kind.BOOLEAN: "sc:Boolean",
    Kind.INTEGER: "sc:Integer",
    Kind.FLOAT: "sc:Float",
}
_SHORT_VERSION: Final = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


def describe(facts: Facts) -> dict[str, Any]:
    """Return the metadata. The manifest's files must carry their sums."""
    files = facts.manifest["files"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name_of(facts),
        "description": summary(facts),
        "conformsTo": CONFORMS_TO,
        "version": version(str(facts.manifest["name"])),
        "isLiveDataset": False,
        **({"license": list(facts.licences)} if facts.licences else {}),
        **({"dateModified": facts.last_day} if facts.last_day else {}),
        "keywords": ["process reward model", "step-level labels", "reasoning"],
        "distribution": [_file(file) for file in files],
        "recordSet": [_records(file) for file in _typed(files)],
    }


def _typed(files: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The files of the records: Parquet where it was written."""
    written = [file for file in files if file["format"] == RECORDS and str(file["name"]).endswith(".parquet")]
    return written or configurations(files).get(RECORDS, [])


def name_of(facts: Facts) -> str:
    """A name of letters, digits, dots and dashes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{facts.manifest['project']}-{facts.manifest['name']}")


def version(name: str) -> str:
    """A release's name as Croissant wants versions: with three numbers, where it has two."""
    return f"{name}.0" if _SHORT_VERSION.fullmatch(name) else name


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    name = str(file["name"])
    suffix = name[name.rfind(".") :] if "." in name else ""
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file['bytes']} B",
        "encodingFormat": ENCODINGS.get(suffix, "text/plain"),
        "sha256": file["sha256"],
    }


def _records(file: Mapping[str, Any]) -> dict[str, Any]:
    split = file["split"]
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"One solution a record. Also in the files: {NESTED}, which are nested lists.",
        "field": [_field(split, file["name"], column) for column in COLUMNS if column.is_plain],
    }


def _field(split: str, file: str, column: Column) -> dict[str, Any]:
    found = {
        "@type": "cr:Field",
        "@id": f"{split}/{column.name}",
        "name": column.name,
        "description": column.description,
        "dataType": TYPES[column.kind],
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }
    return found | {"repeated": True} if column.depth else found
