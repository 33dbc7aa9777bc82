"""The files of a release, written from one reading of the database: all formats hold the very same rows.

What the foreign formats need is kept beside the records while they are written, so that nothing is read twice
and nothing can change in between. Memory stays flat.
"""

import hashlib
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from django.db import reset_queries

from annotator import errors
from annotator.actions import export_rows
from annotator.actions.bulk import prepare_connection, rare_collection
from annotator.actions.release_files import LABELS, ONE_SPLIT, RECORDS, Counts, Manifest, ReleasedFile
from annotator.actions.release_formats import LEVEL, Keeper, chosen_of, write_format
from annotator.actions.release_parquet import ParquetFile
from annotator.actions.release_records import Anonymous, encode, guidelines, record
from annotator.actions.release_select import CHUNK, Candidate, walk
from annotator.actions.transfers import Alive, Tick
from annotator.core import verified
from annotator.core.release_rule import Rule
from annotator.formats.records import ExportRecord
from annotator.models import Project

IDS_SHOWN = 20


class Tally:
    """Counts what goes by: the same for a count before and for the release itself."""

    def __init__(self, rule: Rule, under_bar: list[str]) -> None:
        self.counts = Counts(under_bar=under_bar)
        self._rule = rule
        self._groups: set[str] = set()

    def add(self, found: Candidate) -> str:
        """Count a candidate. Returns its split, "" if it stays out."""
        if found.why:
            self._leave_out(found)
            return ""
        counts, chosen, group = self.counts, found.chosen, found.solution.problem.group
        assert chosen  # noqa: S101  (what stays in has labels)
        split = self._rule.split_of(group, ONE_SPLIT)
        self._groups.add(group)
        counts.groups = len(self._groups)
        counts.solutions += 1
        counts.steps += chosen.n_steps
        counts.verified_steps += sum(found.human)
        counts.verified_solutions += verified.is_whole(chosen.labels, found.human)
        counts.labels.update(chosen.labels)
        counts.kinds[found.kind] += 1
        counts.splits[split] += 1
        counts.findings.update(found.findings)
        if found.item:
            counts.decisions[str(found.item.decision)] += 1
            counts.protocols[found.item.protocol] += 1
        counts.labelled_by[labelled_by(found)] += 1
        return split

    def _leave_out(self, found: Candidate) -> None:
        self.counts.kinds_left_out[found.kind] += 1
        seen = self.counts.left_out.setdefault(found.why, {"n": 0, "first": []})
        seen["n"] += 1
        if len(seen["first"]) < IDS_SHOWN:
            seen["first"].append(found.solution.foreign_id)


def labelled_by(found: Candidate) -> str:
    """Whose labels these are: gold, or KIND:NAME with the name that the rater has here."""
    gold_id = found.item.gold_id if found.item else None
    return "gold" if found.chosen and found.chosen.pk == gold_id else str(found.chosen and found.chosen.rater)


def count(project: Project, rule: Rule, under_bar: list[str]) -> Counts:
    """What a release would hold. Reads no text."""
    tally = Tally(rule, under_bar)
    with rare_collection():
        for found in walk(project, rule, under_bar, light=True):
            tally.add(found)
    return tally.counts


def write(
    project: Project, rule: Rule, under_bar: list[str], folder: Path, name: str, tick: Tick,
    alive: Alive = lambda: None,
) -> Manifest:  # fmt: skip
    """Write records and formats into an empty folder; the manifest knows the files' formats, not their sums.

    Raises Conflict where nothing is chosen, or Parquet is asked for and cannot be written.
    """
    prepare_connection()
    chosen = {one: chosen_of(one, rule.options) for one in rule.formats}
    with rare_collection(), ExitStack() as stack:
        writer = _Writer(project, rule, under_bar, folder, stack)
        writer.run(tick, needs_truth=any(one.format.says.truth for one in chosen.values()))
    if not writer.tally.counts.solutions:
        raise errors.Conflict("This rule leaves nothing to release.")
    manifest = writer.manifest(name)
    for one in chosen.values():
        manifest.format_left_out[one.format.name] = write_format(folder, one, writer.spools, manifest, alive)
    for path in writer.spools.values():
        path.unlink()
    return manifest


class _Writer:
    """Takes candidates one by one: into the records of its split, and into what the formats are made from."""

    def __init__(
        self, project: Project, rule: Rule, under_bar: list[str], folder: Path, stack: ExitStack
    ) -> None:
        self.tally = Tally(rule, under_bar)
        self.spools: dict[str, Path] = {}
        self._project, self._rule, self._under_bar, self._folder = project, rule, under_bar, folder
        self._stack = stack
        self._people, self._digest = Anonymous(), hashlib.sha256()
        self._reviewers: Counter[str] = Counter()
        self._machines: Counter[str] = Counter()
        self._guidelines: set[int] = set()
        self._lines: dict[str, IO[bytes]] = {}
        self._parquet: dict[str, ParquetFile] = {}
        self._spooled: dict[str, Keeper] = {}
        (folder / RECORDS).mkdir()
        self._labels = stack.enter_context((folder / LABELS).open("wb"))

    def run(self, tick: Tick, needs_truth: bool) -> None:
        total = export_rows.finished_solutions(self._project).exclude(foreign_format="").count()
        found: list[Candidate] = []
        for n, one in enumerate(walk(self._project, self._rule, self._under_bar), start=1):
            found.append(one)
            if len(found) == CHUNK:
                self._take(found, needs_truth)
                found = []
                tick(n, max(n, total))
                reset_queries()  # with DEBUG Django keeps the text of every statement
        self._take(found, needs_truth)

    def _take(self, found: list[Candidate], needs_truth: bool) -> None:
        solutions = {one.solution.pk: one.solution for one in found if not one.why}
        truths = export_rows.truths_of(solutions) if needs_truth else {}
        for one in found:
            split = self.tally.add(one)
            if split:
                self._put(one, split, truths.get(one.solution.pk, ""))

    def _put(self, found: Candidate, split: str, truth: str) -> None:
        if split not in self._lines:
            self._open(split)
        row = record(found, split, self._people, labelled_by(found) == "gold")
        line = encode(row).encode() + b"\n"
        self._digest.update(line)
        self._lines[split].write(line)
        self._labels.write(encode(_labelled(found, split)).encode() + b"\n")
        if split in self._parquet:
            self._parquet[split].add(row)
        self._reviewers.update(self._people.name(word.rater) for word in found.people)
        self._machines.update(self._people.public(str(word.rater)) for word in found.machines)
        self._guidelines.update(guidelines(found.people))
        if self._rule.formats and found.chosen:
            said = export_rows.as_row(found.chosen, found.solution, "", truth)
            kept = _without_names(said.record, self._people), found.solution.foreign_format
            self._spooled[split].dump(kept)
            self._spooled[split].clear_memo()

    def _open(self, split: str) -> None:
        lines = (self._folder / RECORDS / f"{split}.jsonl").open("wb")
        self._lines[split] = self._stack.enter_context(lines)
        if self._rule.parquet:
            file = ParquetFile(self._folder / RECORDS / f"{split}.parquet")
            self._parquet[split] = file
            self._stack.callback(file.close)
        if self._rule.formats:
            self.spools[split] = self._folder / f".{split}.rows"
            self._spooled[split] = Keeper(self._stack.enter_context(self.spools[split].open("wb")), LEVEL)

    def manifest(self, name: str) -> Manifest:
        public = self._public_rule()
        self._digest.update(encode(public).encode())
        counts = self.tally.counts
        counts.labelled_by = Counter(
            {self._people.public(who): n for who, n in sorted(counts.labelled_by.items())}
        )
        return Manifest(
            project=self._project.slug, name=name, digest=self._digest.hexdigest(), rule=public, counts=counts,
            public=self._people.public,
            reviewers=dict(sorted(self._reviewers.items(), key=lambda pair: int(pair[0][1:]))),
            machines=dict(sorted(self._machines.items())), guideline_versions=sorted(self._guidelines),
            files=[
                ReleasedFile(f"{RECORDS}/{split}.{end}", 0, "", RECORDS, split, counts.splits[split])
                for split in sorted(counts.splits)
                for end in (("jsonl", "parquet") if self._rule.parquet else ("jsonl",))
            ]
            + [ReleasedFile(LABELS, 0, "", "labels", "", counts.solutions)],
        )  # fmt: skip

    def _public_rule(self) -> dict[str, Any]:
        rule = self._rule.as_json()
        raters = sorted(self._people.public(one) for one in rule["raters"])
        return rule | {"which": self._people.public(rule["which"]), "raters": raters}


def _labelled(found: Candidate, split: str) -> dict[str, Any]:
    """A line of labels.jsonl: the members of core.release_diff.Labelled."""
    solution, chosen = found.solution, found.chosen
    types = {at: sorted(codes) for at, codes in ((chosen and chosen.error_types) or {}).items() if codes}
    return {
        "digest": solution.digest, "id": solution.foreign_id, "split": split, "kind": found.kind,
        "labels": chosen.labels if chosen else "", "error_types": dict(sorted(types.items())),
    }  # fmt: skip


def _without_names(row: ExportRecord, people: Anonymous) -> ExportRecord:
    """A row that names no person, and says no time."""
    rater = people.public(row.rater)
    said = row.said if rater == row.rater else ""  # what a person's file says beside the labels may name it
    return replace(row, rater=rater, said=said, made_at="", duration_ms=None)
