"""The dataset card of a release: README.md, with front matter that the Hugging Face tools read. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from annotator.core.datasheet import LIMITS, sections
from annotator.core.datasheet_facts import Facts
from annotator.core.datasheet_tables import Section, Table
from annotator.core.record_columns import COLUMNS, Column

RECORDS: Final = "records"
SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
LARGEST: Final = "n>10M"
LOADABLE: Final = (".jsonl", ".json")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
# what YAML does not read as it stands, and JSON leaves as it is
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def card(facts: Facts) -> str:
    """Return README.md: front matter, then the datasheet as Markdown. Texts from data are escaped."""
    body = [f"# {escaped(facts.title)}", *(_section(one) for one in sections(facts))]
    return f"---\n{yaml(front_matter(facts))}---\n\n" + "\n\n".join(body) + "\n"


def front_matter(facts: Facts) -> dict[str, Any]:
    """What data set tools read: a configuration for the records and one for each foreign format."""
    files = facts.manifest["files"]
    return {
        "pretty_name": facts.title,
        "license": list(facts.licences) or ["unknown"],
        "size_categories": [_size(facts.counts["solutions"])],
        "tags": ["process-reward-model", "step-level-labels", "reasoning", "plumbline"],
        "dataset_info": [{"config_name": RECORDS, "features": [_feature(column) for column in COLUMNS]}],
        "configs": [
            {
                "config_name": name,
                **({"default": True} if name == RECORDS else {}),
                "data_files": _data_files(some),
            }
            for name, some in configurations(files).items()
        ],
    }


def configurations(files: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Configuration -> its files. All are JSON: `datasets` reads those of one card with one reader."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for file in files:
        if file["split"] and file["n"] and str(file["name"]).endswith(LOADABLE):
            found.setdefault(file["format"], []).append(file)
    return found


def _feature(column: Column) -> dict[str, Any]:
    """A member's type, said outright: a file whose first thousand records have none of it would hide it."""
    if column.members:
        return {"name": column.name, "list": [_feature(one) for one in column.members]}
    if not column.depth:
        return {"name": column.name, "dtype": column.kind.value}
    inner = column.kind.value if column.depth == 1 else {"sequence": column.kind.value}
    return {"name": column.name, "sequence": inner}


def _data_files(files: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"split": file["split"], "path": file["name"]} for file in files]


def _size(n: int) -> str:
    return next((name for limit, name in SIZES if n < limit), LARGEST)


def _section(one: Section) -> str:
    parts = [f"## {one.title}", *map(escaped, one.text)]
    if one.title == LIMITS:
        parts = [parts[0], "\n".join(f"- {escaped(line)}" for line in one.text)]
    if one.facts:
        parts.append("\n".join(f"- **{escaped(name)}:** {escaped(value)}" for name, value in one.facts))
    return "\n\n".join([*parts, *map(_table, one.tables)])


def _table(table: Table) -> str:
    lines = [f"| {' | '.join(table.head)} |", "|" + " --- |" * len(table.head)]
    lines += [f"| {' | '.join(map(escaped, row))} |" for row in table.rows]
    return f"{escaped(table.caption)}:\n\n" + "\n".join(lines)


def escaped(text: str) -> str:
    """Text as one line of Markdown that means nothing but itself."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def yaml(value: Any, indent: int = 0) -> str:
    """Nested mappings, lists and scalars as YAML. Texts are quoted as JSON does; names of members are ours,
    and plain words."""
    pad = "  " * indent
    if isinstance(value, Mapping):
        return "".join(f"{pad}{name}:{_after(one, indent)}" for name, one in value.items())
    lines = []
    for one in value:
        inner = yaml(one, indent + 1) if isinstance(one, Mapping) else f"{pad}  {_scalar(one)}\n"
        lines.append(f"{pad}- {inner[len(pad) + 2 :]}")
    return "".join(lines)


def _after(value: Any, indent: int) -> str:
    return f"\n{yaml(value, indent + 1)}" if isinstance(value, Mapping | list) else f" {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    """Only what must be is escaped: JSON's escape of a character such as an emoji is two of YAML's."""
    said = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", said)
