"""Benches tile the records they are given: the same texts again under fresh ids, to any number."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path


def tile(paths: list[Path], n_records: int, target: Path) -> Path:
    """Write `n_records` PRMBench records, made from those in `paths`, to `target` as JSON Lines."""
    lines = [line for path in paths for line in path.read_text("utf-8").split("\n") if line.strip()]
    with target.open("w") as out:
        for _, line in zip(range(n_records), fresh(lines), strict=False):
            out.write(line + "\n")
    return target


def fresh(lines: list[str]) -> Iterator[str]:
    """The lines over and over; every round has base ids, and so problems, of its own."""
    for turn in count():
        for line in lines:
            record = json.loads(line)
            record["idx"] = f"{record['idx']}_t{turn}" if turn else record["idx"]
            yield json.dumps(record, ensure_ascii=False)
