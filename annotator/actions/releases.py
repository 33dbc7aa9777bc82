"""Releases: counted, asked for, written once by a worker or a command, and never changed after that."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from annotator import errors, policies
from annotator.actions import release_formats, release_write
from annotator.actions.record import record
from annotator.actions.release_cards import write_cards
from annotator.actions.release_fetch import copy_to
from annotator.actions.release_files import MANIFEST, READ_ONLY, Counts, Manifest, listed
from annotator.actions.transfers import (
    STALE,
    Pulse,
    Tick,
    beat,
    is_held,
    is_stalled,
    ring,
    wait_until_quiet,
    working,
)
from annotator.core import kinds, release_rule
from annotator.core.findings import CODES
from annotator.core.labels import MULTI_SOLUTIONS
from annotator.core.release_rule import Rule
from annotator.formats import WRITABLE
from annotator.models import (
    Annotation,
    Injection,
    Item,
    Membership,
    Project,
    Protocol,
    Release,
    Role,
    TransferState,
)
from annotator.policies import Actor
from annotator.reports.acceptance import kinds_under_bar

NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
MOST_NOTE = 2000
DAY_S = 86_400


@dataclass(frozen=True)
class Asked:
    """A release as it is asked for, checked."""

    rule: Rule
    name: str
    note: str


def check_rule(project: Project, rule: Any) -> Rule:
    """The rule, checked against the project. Raises Invalid naming the member."""
    try:
        found = release_rule.read(rule, known(project))
    except release_rule.BadRule as error:
        raise errors.Invalid(error.message, field=error.field) from error
    for name in found.formats:
        release_formats.chosen_of(name, found.options)
    named = [("raters", one) for one in found.raters]
    if found.which not in release_rule.CHOICES:
        named.append(("which", found.which))
    for field, one in named:
        _check_rater(project, field, one)
    return found


def known(project: Project) -> release_rule.Known:
    """The names that a rule of this project may use; "" is the kind of what was not injected."""
    codes = {kind.code for kind in kinds.error_types(project.error_types)} | {MULTI_SOLUTIONS}
    used = Item.objects.filter(project=project).order_by().values_list("error_type", flat=True).distinct()
    claimed = Injection.objects.filter(child__project=project).order_by()
    codes |= {*used, *claimed.values_list("error_type", flat=True).distinct()} - {""}
    return release_rule.Known(codes, Protocol.values, WRITABLE, CODES)


def _check_rater(project: Project, field: str, named: str) -> None:
    kind, _, name = named.partition(":")
    labelled = Annotation.objects.filter(solution__project=project, rater__kind=kind, rater__name=name)
    member = Membership.objects.filter(project=project, rater__kind=kind, rater__name=name)
    if not member.exists() and not labelled.exists():
        raise errors.Invalid(f"There is no rater {named!r} here.", field=field)


def count(*, by: Actor, project: Project, rule: Any) -> Counts:
    """What a release by this rule would hold, and what stays out and why."""
    policies.check_at_least(by, Role.LEAD, project)
    return release_write.count(project, check_rule(project, rule), kinds_under_bar(project))


def next_name(project: Project) -> str:
    """A name that is free: 1.0, 1.1, …"""
    taken = set(Release.objects.filter(project=project).values_list("name", flat=True))
    n = 0
    while f"1.{n}" in taken:
        n += 1
    return f"1.{n}"


@transaction.atomic
def start_release(
    *, by: Actor, project: Project, rule: Any, name: str = "", note: str = ""
) -> Release:  # fmt: skip
    """Have a worker write a release. name: as it is cited, for ever; "": the next that is free."""
    row = _open(by, project, _check(by, project, rule, name, note))
    ring("write_release", row.pk)
    return row


def release_to(
    *, by: Actor, project: Project, rule: Any, folder: Path, name: str = "", note: str = "",
    tick: Tick = lambda done, total: None,
) -> Release:  # fmt: skip
    """Write a release here and now, and a copy of it to `folder`, which must not be there or be empty.

    The same again takes up a release that was left unfinished, and copies one of this name that is complete. Any
    other of this name is refused.
    """
    folder = _new(folder)
    asked = _check(by, project, rule, name, note)
    folder.parent.mkdir(parents=True, exist_ok=True)  # what cannot be is said before a name is used up
    row = _begun(project, asked, is_named=bool(name.strip())) or _open(by, project, asked)
    wait_until_quiet(row)
    if row.state != TransferState.COMPLETE:
        write(row=row, tick=tick)
    copy_to(row, folder)
    return row


def _new(folder: Path) -> Path:
    """Where it really is. Raises Conflict if it cannot be replaced by another."""
    found = folder.resolve()
    if found == Path.cwd():
        raise errors.Conflict(
            f"{folder} is the folder that this runs in: choose a new folder.", field="output"
        )
    if found.exists() and (not found.is_dir() or any(found.iterdir())):
        raise errors.Conflict(f"{folder} is there already: choose a new folder.", field="output")
    return found


def _check(by: Actor, project: Project, rule: Any, name: str, note: str) -> Asked:
    policies.check_at_least(by, Role.LEAD, project)
    name = name.strip() or next_name(project)
    if not NAME.fullmatch(name) or name.endswith("."):
        raise errors.Invalid("A name is letters, digits, dots and dashes, such as 1.0.", field="name")
    note = note.strip()
    if len(note) > MOST_NOTE:
        raise errors.Invalid(f"{MOST_NOTE} characters are the most.", field="note")
    return Asked(check_rule(project, rule), name, note)


def _begun(project: Project, asked: Asked, *, is_named: bool) -> Release | None:
    """What an earlier go at the same release has left. Without a name only an unfinished one: the data may have
    changed since the last, and who gives no name wants the next."""
    rows = Release.objects.select_related("project").filter(project=project, rule=asked.rule.as_json())
    if is_named:
        return rows.filter(name=asked.name).first()
    return rows.filter(note=asked.note).exclude(state=TransferState.COMPLETE).order_by("-pk").first()


@transaction.atomic
def _open(by: Actor, project: Project, asked: Asked) -> Release:
    rule = asked.rule.as_json()
    try:
        with transaction.atomic():
            row = Release.objects.create(
                project=project, created_by=by.user, name=asked.name, rule=rule, note=asked.note
            )
    except IntegrityError as error:
        message = f"There is a release {asked.name} already; a name is used once."
        raise errors.Conflict(message, field="name") from error
    record(by, "make_release", project, transfer=row.pk, name=row.name, rule=rule)
    return row


@transaction.atomic
def resume_release(*, by: Actor, row: Release) -> Release:
    """Call a worker for a release that lost its own. It begins anew: half a release is worth nothing."""
    policies.check_at_least(by, Role.LEAD, row.project)
    if not can_resume(row):
        raise errors.Conflict(f"This release is {row.state}, or a worker is at it.")
    ring("write_release", row.pk)
    return row


@transaction.atomic
def discard_release(*, by: Actor, row: Release) -> None:
    """Give up a release that was never finished; its name is free again. What is published stays."""
    policies.check_at_least(by, Role.LEAD, row.project)
    rows = Release.objects.filter(Q(beat_at=None), pk=row.pk).exclude(state=TransferState.COMPLETE)
    if not rows.delete()[0]:
        raise errors.Conflict("A release that is complete, or that a worker is at, stays.")
    record(by, "discard_release", row.project, name=row.name)


def can_resume(row: Release) -> bool:
    return row.is_running and not is_held(row) and (bool(row.error) or is_stalled(row))


def write(*, row: Release, tick: Tick = lambda done, total: None) -> Release:
    """What a worker does with a release. Of two that do it at once, one's files are kept."""
    with working(row, [TransferState.WAITING, TransferState.WRITING]):
        beat(row, state=TransferState.WRITING, n_done=0)
        home = Path(settings.DATA_DIR) / "releases"
        home.mkdir(parents=True, exist_ok=True)
        for left in _left(home, row):
            shutil.rmtree(left, ignore_errors=True)  # of a worker that was killed
        beside = home / f".{row.pk}.{uuid.uuid4().hex}.part"
        beside.mkdir()
        try:
            manifest = _fill(row, beside, tick)
            _complete(row, manifest, beside, home / f"{row.pk}-{manifest.digest[:16]}")
        finally:
            shutil.rmtree(beside, ignore_errors=True)  # gone once it has taken its place
    return row


def _fill(row: Release, folder: Path, tick: Tick) -> Manifest:
    rule = check_rule(row.project, row.rule)
    report = _Report(row, folder, tick)
    manifest = release_write.write(
        row.project, rule, kinds_under_bar(row.project), folder, row.name, report.tick, report.alive
    )
    write_cards(folder, row, manifest, report.alive)
    manifest.files = listed(folder, {file.name: file for file in manifest.files}, report.alive)
    (folder / MANIFEST).write_text(manifest.text(), encoding="utf-8")
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(READ_ONLY)
    return manifest


class _Report:
    """Says that a worker is at the row, and at its folder too: another that comes in between then spares it."""

    def __init__(self, row: Release, folder: Path, also: Tick) -> None:
        self._row, self._folder, self._also = row, folder, also
        self._pulse = Pulse()

    def tick(self, done: int, total: int) -> None:
        self._also(done, total)
        self._beat(n_done=done, n_total=total)

    def alive(self) -> None:
        self._beat()

    def _beat(self, **changes: int) -> None:
        if self._pulse.is_due():
            beat(self._row, **changes)
            os.utime(self._folder)


def _left(home: Path, row: Release) -> Iterator[Path]:
    """Folders that nobody is at any more: of this row, and of others whose worker was killed long ago."""
    for folder in home.glob(".*.part"):
        most = STALE.total_seconds() if folder.name.startswith(f".{row.pk}.") else DAY_S
        with suppress(FileNotFoundError):  # another has just put it away
            if time.time() - folder.stat().st_mtime > most:
                yield folder


def _complete(row: Release, manifest: Manifest, beside: Path, folder: Path) -> None:
    """The folder takes its place in the same transaction as its digest."""
    counts = manifest.counts
    with transaction.atomic():
        done = Release.objects.filter(pk=row.pk, state=TransferState.WRITING).update(
            state=TransferState.COMPLETE, n_done=counts.solutions,
            n_total=counts.solutions + counts.n_left_out, path=str(folder), digest=manifest.digest,
            n_records=counts.solutions, files=[file._asdict() for file in manifest.files],
            report=manifest.as_json(), finished_at=timezone.now(),
        )  # fmt: skip
        if not done:
            raise errors.Conflict("Another worker has completed this release.")
        said: dict[str, Any] = {"name": row.name, "digest": manifest.digest, "n": counts.solutions}
        record(policies.Operator(), "complete_release", row.project, transfer=row.pk, **said)
        shutil.rmtree(folder, ignore_errors=True)  # of a worker that died between this and its commit
        beside.rename(folder)
