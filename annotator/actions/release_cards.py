"""The cards of a release: what people and data set tools read before they read the records."""

import json
from pathlib import Path

from annotator.actions.release_files import RECORDS, Manifest
from annotator.models import Release


def write_cards(folder: Path, release: Release, manifest: Manifest) -> None:
    """Write the cards into a release's folder, beside its records. Called before the folder is put in place.

    `manifest` has everything but the cards' own files. The same data give the same cards.
    """
    splits = [
        {"split": split, "path": f"{RECORDS}/{split}.jsonl"} for split in sorted(manifest.counts.splits)
    ]
    front = {"pretty_name": f"{manifest.project} {manifest.name}"}
    front |= {"configs": [{"config_name": "records", "data_files": splits}]}  # type: ignore[dict-item]
    text = (
        f"---\n{json.dumps(front)}\n---\n\n# {manifest.project} {manifest.name}\n\nDigest {manifest.digest}\n"
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
