"""What happened in a project, read back: events by filter, in words, as records and as a table. Reads only.

Events are never updated or deleted (tests/annotator/test_audit.py); but a take-down empties the texts in them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from annotator.core.spreadsheet import harmless
from annotator.models import Event, Membership, Project, User

CHUNK = 2_000
READ = ("at", "verb", "item_id", "data", "actor__username")
COLUMNS = ("id", "at", "actor", "verb", "item", "said", "data")
SERVER: Final = "the server"  # what a command, or a worker, did
SPELLED: Final = {"True": "yes", "False": "no", "None": "–"}
LONGEST = 120  # characters of one value on a page

NOTHING: Final[tuple[object, ...]] = (None, "", [], {})  # what need not be told
SURPLUS: Final = "surplus"
JUDGEMENTS: Final = frozenset({"labels", "error_types", "verdict", "first_error", "gold"})

# What an event says, by verb; words in braces are of its data. Whatever stands after "|" is others' judgement:
# it is told only where reading it is known to cost one's slot (an item's page), and in files.
SAID: Final[dict[str, str]] = {
    # one item
    "submit": "submitted| {labels}",
    "skip": "skipped it: {reason}",
    "reopen": "took their submission back",
    "ask": "asked a question",
    "answer": "answered a question: {answer}",
    "hold": "held it: {because}",
    "release": "released it: {because}",
    "look": "looked at everybody's labels",
    "set_wanted": "asked for {n} reviewers: {because}",
    "set_priority": "set its priority to {n}",
    "sample": "put it into sample {sample}",
    "assign": "assigned it to {to}",
    "unassign": "took it back from who had it assigned",
    "take_back": "took it back from {of}: {because}",
    "send_to_review": "sent it to one more reviewer: {because}",
    "take_back_send": "took it back from one more review",
    "close": "closed what {of} had committed: {because}",
    "retire": "retired it: {because}",
    "mark_probe": "made it a probe",
    "unmark_probe": "made it no longer a probe",
    "set_use": "made it {use}",
    "take_down": "took its text down: {because}",
    "settle": "settled it, {cause}| as {labels}: {because}",
    "reopen_decision": "reopened the decision: {because}",
    "check_integrity": "recounted it",
    # the project
    "create_project": "made the project",
    "change_settings": "changed the settings",
    "write_guideline": "wrote guidelines version {version}",
    "bulk": "acted on {n_items} items: {do}",
    "import": "imported {items} items",
    "remove_import": "removed import {transfer}, {records} records",
    "import_annotations": "imported labels",
    "draw_sample": "drew sample {sample}",
    "export": "exported {which} as {format}",
    "make_release": "asked for release {name}",
    "complete_release": "release {name} is complete: {n} solutions",
    "discard_release": "gave up the unfinished release {name}",
    "recheck_findings": "looked for findings anew",
    # runs
    "start_run": "started run {run}: {method} {rater}",
    "pause_run": "paused run {run}: {because}",
    "resume_run": "went on with run {run}",
    "cancel_run": "cancelled run {run}",
    "retry_run": "had {units} failed units of run {run} tried again",
    "complete_run": "completed run {run}: {done} done, {failed} failed, {calls} calls",
    # people
    "add_member": "let somebody in as {role}",
    "change_role": "made a {was} a {role}",
    "remove_member": "removed a {role}",
    "take_back_claims": "took open items back: {because}",
    "pause": "paused a member: {because}",
    "resume": "let a paused member work again",
    "exam": "took the exam, attempt {attempt}: {right} of {n} right",
    "reset_exam": "gave a member all attempts at the exam again",
    "let_in": "let a member in without the exam: {because}",
    "invite": "made an invitation for a {role}",
    "revoke_invitation": "took an invitation back",
    "accept_invitation": "came in as {role}",
    "make_password_link": "made a link that sets a password",
}


@dataclass(frozen=True)
class Wanted:
    """Which events; empty: all. `actor` is a user's id, 0 for the server. Both days are included."""

    verb: str = ""
    actor: int | None = None
    item: int | None = None
    since: date | None = None
    until: date | None = None


def rows(project: Project, wanted: Wanted) -> QuerySet[Event]:
    """The events of a project that are wanted, unordered; an event's actor comes with it."""
    found = Event.objects.filter(project=project).select_related("actor").only(*READ)
    if wanted.verb:
        found = found.filter(verb=wanted.verb)
    if wanted.actor is not None:
        found = found.filter(actor=wanted.actor) if wanted.actor else found.filter(actor__isnull=True)
    if wanted.item is not None:
        found = found.filter(item=wanted.item)
    if wanted.since:
        found = found.filter(at__gte=_midnight(wanted.since))
    if wanted.until:
        found = found.filter(at__lt=_midnight(wanted.until + timedelta(days=1)))
    return found


def oldest_first(found: QuerySet[Event]) -> Iterator[Event]:
    """All of them, streamed, in pages by id, so that nothing is held open or in memory for long."""
    last = 0
    while page := list(found.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield from page
        last = page[-1].pk


def actors(project: Project) -> list[User]:
    """Who may have done something here: members, and who was one."""
    removed = Event.objects.filter(project=project, verb="remove_member").values_list("data__user", flat=True)
    here = Q(pk__in=Membership.objects.filter(project=project).values("user"))
    return list(User.objects.filter(here | Q(pk__in=list(removed))).order_by("username"))


def verbs() -> list[tuple[str, str]]:
    """Verbs and how they are called, by name."""
    return sorted((verb, verb.replace("_", " ")) for verb in SAID)


class Told(NamedTuple):
    """An event in words. `more`: what of its data the words leave out."""

    event: Event
    who: str
    what: str
    more: list[tuple[str, str]]


def tell(event: Event, *, shows_labels: bool) -> Told:
    """Say in words what happened. `shows_labels`: also how somebody judged."""
    template = SAID.get(event.verb, event.verb.replace("_", " "))
    words, _, judgement = template.partition("|")
    known = {key: value for key, value in event.data.items() if isinstance(value, str | int | float)}
    if "do" in known:  # the verb of what was done to many items
        known["do"] = str(known["do"]).replace("_", " ")
    what = (words + judgement if shows_labels else words).format_map(_Gaps(known))
    surplus = ", after enough others had" if event.data.get(SURPLUS) else ""
    more = [
        (key.replace("_", " "), _short(value))
        for key, value in sorted(event.data.items())  # PostgreSQL keeps members in an order of its own
        if f"{{{key}}}" not in template
        and key not in {SURPLUS, *JUDGEMENTS}
        and value not in NOTHING
        and value is not False
    ]
    return Told(event, who(event), what + surplus, more)


def who(event: Event) -> str:
    return event.actor.get_username() if event.actor else SERVER


class _Gaps(dict[str, object]):
    """Missing words of a template, shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else _plain(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _plain(value: Any) -> str:
    """Nested data as people read it: no quotes and braces."""
    if isinstance(value, Mapping):
        said = {key: one for key, one in sorted(value.items()) if one not in NOTHING}
        return ", ".join(f"{str(key).replace('_', ' ')}: {_plain(one)}" for key, one in said.items())
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return SPELLED.get(str(value), str(value))


def record(event: Event) -> dict[str, Any]:
    """An event as JSON: everything that is kept of it. `at` is UTC, `actor` null for the server."""
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "actor": event.actor.get_username() if event.actor else None,
        "verb": event.verb,
        "item": event.item_id,
        "data": event.data,
    }


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    for event in events:
        yield json.dumps(record(event), ensure_ascii=False) + "\n"


def table(events: Iterable[Event]) -> Iterator[list[str]]:
    """The events as text under COLUMNS, fit for a spreadsheet; `data` is JSON."""
    yield list(COLUMNS)
    for event in events:
        told = tell(event, shows_labels=True)
        item = "" if event.item_id is None else str(event.item_id)
        data = json.dumps(event.data, ensure_ascii=False)
        cells = [event.at.isoformat(), told.who, event.verb, item, told.what, data]
        yield [str(event.pk), *map(harmless, cells)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
