"""Rows of one PRM800K record put together again: its path and the siblings beside it, for each rater."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from annotator.formats.prm800k_label import Choice
from annotator.formats.records import ExportRecord

_START: Final = '{"of": "prm800k", "record": '


Labeler = str | bool  # the rater; where none is named, whether the labels came with the record


class Spot(NamedTuple):
    """Where in its record a sibling stands: at a 0-based position of the path, as which candidate."""

    record: str
    position: int
    choice: Choice


@dataclass
class Group:
    """Neighbouring rows that came from one record, by their labeler. siblings: {labeler: {spot: row}}."""

    record: str
    paths: dict[Labeler, ExportRecord] = field(default_factory=dict)
    siblings: dict[Labeler, dict[Spot, ExportRecord]] = field(default_factory=dict)

    def takes(self, row: ExportRecord, spot: Spot | None) -> bool:
        """Whether the row belongs here; a second one in the same place begins another group."""
        if spot:
            return spot.record == self.record and spot not in self.siblings.get(_labeler(row), {})
        is_mine = self.record != "" and row.solution.foreign_id == self.record
        return is_mine and not self.siblings and _labeler(row) not in self.paths

    def add(self, row: ExportRecord, spot: Spot | None) -> None:
        if spot:
            self.siblings.setdefault(_labeler(row), {})[spot] = row
        else:
            self.paths[_labeler(row)] = row


def groups(rows: Iterable[ExportRecord]) -> Iterator[Group]:
    """Yield groups of neighbours. Rows of other formats have no siblings, but may have several raters."""
    group: Group | None = None
    for row in rows:
        spot = _spot_of(row.extra)
        if group is None or not group.takes(row, spot):
            if group:
                yield group
            group = Group(spot.record if spot else row.solution.foreign_id)
        group.add(row, spot)
    if group:
        yield group


def spot_text(spot: Spot) -> str:
    """Return the `extra` of a sibling."""
    return json.dumps({"of": "prm800k", "record": spot.record, "at": spot.position, "as": spot.choice})


def _labeler(row: ExportRecord) -> Labeler:
    return row.rater or row.is_source


def _spot_of(extra: str) -> Spot | None:
    if not extra.startswith(_START):
        return None
    kept = json.loads(extra)
    return Spot(kept["record"], kept["at"], kept["as"])
