"""The cards of a release: what people and data set tools read before they read the records.

README.md         a dataset card as the Hugging Face tools read it, with the datasheet as its text
datasheet.html    the same to look at and to print: one file, no scripts
croissant.json    the same for tools: files with their sums, records with the types of their members
guidelines/vN.md  the versions that reviewers worked by
"""

import json
from pathlib import Path

from django.template.loader import render_to_string

from annotator.actions.release_facts import facts_of
from annotator.actions.release_files import Manifest, listed
from annotator.actions.transfers import Alive
from annotator.core.croissant import describe
from annotator.core.dataset_card import card
from annotator.core.datasheet import sections
from annotator.core.datasheet_facts import Facts
from annotator.core.datasheet_tables import Table
from annotator.models import Guideline, Project, Release

TEMPLATE = "annotator/datasheet.html"


def write_cards(
    folder: Path, release: Release, manifest: Manifest, alive: Alive = lambda: None
) -> None:  # fmt: skip
    """Write the cards into a release's folder, beside its records. Called before the folder is put in place.

    `manifest` has everything but the cards' own files. The same data give the same cards.
    """
    _write_guidelines(folder, release.project, manifest.guideline_versions)
    manifest.files = listed(folder, {file.name: file for file in manifest.files}, alive)
    facts = facts_of(release, manifest, alive)
    (folder / "README.md").write_text(card(facts), encoding="utf-8")
    (folder / "datasheet.html").write_text(html(facts), encoding="utf-8")
    said = json.dumps(describe(facts), ensure_ascii=False, indent=1)
    (folder / "croissant.json").write_text(said + "\n", encoding="utf-8")


def html(facts: Facts) -> str:
    """The datasheet as a page that stands alone."""
    shown = [one._replace(tables=[(table, _rows(table)) for table in one.tables]) for one in sections(facts)]  # type: ignore[misc]
    return render_to_string(TEMPLATE, {"title": facts.title, "sections": shown})


def _rows(table: Table) -> list[tuple[str, list[str], dict[str, float] | None]]:
    """Rows as the template draws them: the first cell, the others, and where the bar stands."""
    bars = table.bars or [None] * len(table.rows)
    return [
        (
            row[0],
            list(row[1:]),
            bar and {**bar._asdict(), "width": bar.high - bar.low, "dot": max(0.0, bar.at - 0.6)},
        )
        for row, bar in zip(table.rows, bars, strict=True)
    ]


def _write_guidelines(folder: Path, project: Project, versions: list[int]) -> None:
    rows = Guideline.objects.filter(project=project, version__in=versions)
    if versions:
        (folder / "guidelines").mkdir()
    for row in rows:
        (folder / "guidelines" / f"v{row.version}.md").write_text(row.text, encoding="utf-8")
