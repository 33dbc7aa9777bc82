"""What a release consists of, and how its folder comes to be: whole, read-only, or not there.

manifest.json          what is below as JSON: the rule, the counts, each file with its sha256
records/SPLIT.jsonl    Plumbline's own records, one a solution (release_records says what is in one)
records/SPLIT.parquet  the same
FORMAT/SPLIT.*         the same solutions in each foreign format that was asked for
the cards              what release_cards.write_cards adds: a dataset card, a datasheet
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from annotator.actions.transfers import Alive

MANIFEST = "manifest.json"
RECORDS = "records"
LABELS = "labels.jsonl"
ONE_SPLIT = "train"  # what the only part is called where a rule names no splits, as data sets have it
BLOCK = 1 << 20
READ_ONLY = 0o444


class ReleasedFile(NamedTuple):
    """A file of a release. `name` is its path in the folder, with `/`; `format` is "records", "labels" or a
    foreign format's, "" for a card; `n` how many records it has."""

    name: str
    bytes: int
    sha256: str
    format: str = ""
    split: str = ""
    n: int | None = None


@dataclass
class Counts:
    """What a release holds and what stays out. Each maps a name to a number.

    left_out: why -> {"n", "first": ids}.  kinds: error type ("" for none) -> solutions.
    kinds_left_out: error type -> solutions that stay out.  splits: split -> solutions.
    labels: label -> steps.  decisions: decision -> solutions.  labelled_by: whose labels these are
    ("gold" or KIND:NAME) -> solutions.  findings: code -> findings left in the released solutions.
    """

    solutions: int = 0
    steps: int = 0
    groups: int = 0
    verified_steps: int = 0
    verified_solutions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    kinds_left_out: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    labelled_by: Counter[str] = field(default_factory=Counter)
    protocols: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, dict[str, Any]] = field(default_factory=dict)
    under_bar: list[str] = field(default_factory=list)

    @property
    def n_left_out(self) -> int:
        return sum(int(seen["n"]) for seen in self.left_out.values())


@dataclass
class Manifest:
    """A release in numbers. No times and no row ids: the same data and rule give the same, but for `name`.

    digest: sha256 of the rule and the records.  rule: as it is published, reviewers named by their ids here.
    reviewers: how many solutions each anonymous reviewer labelled.  machines: the same of KIND:NAME.
    format_left_out: format -> why -> {"n", "first"}: what a foreign format had no way to say.
    no_parquet: file -> why there is no Parquet of it.  public: KIND:NAME as it is published; for the cards, not
    written.
    """

    project: str
    name: str
    digest: str
    rule: dict[str, Any]
    counts: Counts
    reviewers: dict[str, int] = field(default_factory=dict)
    machines: dict[str, int] = field(default_factory=dict)
    guideline_versions: list[int] = field(default_factory=list)
    format_left_out: dict[str, dict[str, Any]] = field(default_factory=dict)
    no_parquet: dict[str, str] = field(default_factory=dict)
    files: list[ReleasedFile] = field(default_factory=list)
    public: Callable[[str], str] = str

    def as_json(self) -> dict[str, Any]:
        members = {name: value for name, value in vars(self).items() if name not in ("counts", "public")}
        return members | {
            "counts": plain_counts(self.counts),
            "files": [file._asdict() for file in self.files],
        }

    def text(self) -> str:
        return json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n"


def plain_counts(counts: Counts) -> dict[str, Any]:
    """As JSON, with names in order."""
    found = dict(vars(counts))
    return {name: dict(sorted(n.items())) if isinstance(n, Counter) else n for name, n in found.items()}


def listed(
    folder: Path, known: dict[str, ReleasedFile], alive: Alive = lambda: None
) -> list[ReleasedFile]:  # fmt: skip
    """Every file of the folder by name, but the manifest; `known` says what those are that this has written."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST:
            is_known = known.get(name, ReleasedFile(name, 0, ""))
            found.append(is_known._replace(bytes=path.stat().st_size, sha256=sha256_of(path, alive)))
    return found


def sha256_of(path: Path, alive: Alive = lambda: None) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
            alive()
    return found.hexdigest()
