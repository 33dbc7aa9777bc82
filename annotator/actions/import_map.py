"""A lead says where things are in uploaded files, before their first check or after one that found too little."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotator import errors, policies
from annotator.actions.import_files import check_reading, format_named
from annotator.actions.transfers import awaits_map, is_held, ring
from annotator.formats import FORMATS
from annotator.models import Import, ImportKind, Role, TransferState
from annotator.policies import Actor

CHECKED = (TransferState.CHECKED, TransferState.FAILED)


@transaction.atomic
def give_map(*, by: Actor, row: Import, reading: Mapping[str, Any]) -> Import:
    """Have the files checked as `reading` says (formats.readings). Raises Invalid naming what of it cannot be,
    and Conflict where something of the import is written or a worker is at it."""
    policies.check_at_least(by, Role.LEAD, row.project)
    row = Import.objects.select_for_update(no_key=True).get(pk=row.pk)
    if not can_map(row):
        raise errors.Conflict(f"This import is {row.state}: it is too late to say where things are.")
    row.options["reading"] = check_reading(row.format, reading)
    row.state, row.error, row.report, row.n_total = TransferState.WAITING, "", {}, None
    row.save(update_fields=["options", "state", "error", "report", "n_total"])
    ring("check_import", row.pk)
    return row


def can_map(row: Import) -> bool:
    """Only uploads: what lies on the server where a command said is not for a page to show."""
    is_told = row.format in FORMATS and bool(format_named(row.format).told)
    is_upload = row.kind == ImportKind.SOLUTIONS and row.created_by_id is not None
    is_open = awaits_map(row) or (row.state in CHECKED and not row.n_done)
    return is_told and is_upload and is_open and not is_held(row)
