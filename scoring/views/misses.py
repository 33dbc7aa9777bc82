"""What a rater missed, with links to the items, and the way of these items to one more review.

The labels of a solution that waits for a decision are not shown here: whoever reads them gets no slot on its item,
and that happens on the item's page alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from annotator import errors
from annotator.actions import second_look
from annotator.actions.bulk_items import Done
from annotator.blinding import undecided
from annotator.middleware import PageRequest
from annotator.models import Decision, Item, Project, Rater
from annotator.views import words
from scoring import evaluations
from scoring.views.asked import Asked, asked, csv_file, json, label_word, part_title, rater, shared

SHOWN = 8  # solutions on a report
PAGE = 50
AT_ONCE = 500  # solutions read at once for a file
MOST = 1_000  # ids in one form
SIDES = ("released", "gold")
Sayings = tuple[str, ...]


class StepOf(NamedTuple):
    """A step in question, 1-based, and what each says of it."""

    step: int
    said: Sayings
    score: float | None


class Row(NamedTuple):
    """An item. steps: none where its labels may not be read here; then neither its kind nor how many they are, None.
    item: None where it is in no queue."""

    item: Item | None
    item_id: int | None
    foreign_id: str
    kind: str | None
    steps: list[StepOf]
    n_steps: int | None
    is_sent: bool

    @property
    def look(self) -> str:
        return words.decision_look(self.item) if self.item else ""

    @property
    def why_not(self) -> str:
        """Why it cannot be sent to review, in a word; "" where it can."""
        if self.item is None:
            return "not queued"
        if self.item.retired or self.item.held:
            return "retired" if self.item.retired else "held"
        return "settled: reopen it on its page" if self.item.decision == Decision.SETTLED else ""


class Found(NamedTuple):
    rows: list[Row]
    after: str | None


def page(request: PageRequest, benchmark: str, rater_id: int, **_: object) -> HttpResponseBase:
    """GET: the list, `?against=released|gold&kind=…&threshold=…`. POST: `do=send` or `back`, with `item` ids or with
    `all` of the list; `next` says where to go on."""
    data = request.POST if request.method == "POST" else request.GET
    asking = asked(request.membership.project, benchmark, data, labels="released")
    who = rater(asking.project, rater_id)
    kind = data.get("kind") or None
    if request.method == "POST":
        return _act(request, asking, who, kind)
    if asking.format == "csv":
        name = f"{asking.project.slug}-{benchmark}-{who.pk}-missed.csv"
        return csv_file(table(asking, who, kind), name)
    found = first_page(asking, who, kind=kind, after=request.GET.get("after") or None, limit=PAGE)
    if asking.format:
        return json({"rows": [_as_json(row) for row in found.rows], "after": found.after})
    counts = counted(asking, who)
    context = shared(asking) | {
        "rater": who, "missed": found, "kind": kind, "side": one_side(asking.labels),
        "kinds": [(code, part_title(asking.project, benchmark, code), one) for code, one in counts.items()],
        "kind_title": part_title(asking.project, benchmark, kind) if kind else "",
        "n_items": sum(one["n_items"] for code, one in counts.items() if kind in (None, code)),
        "next_query": asking.query(kind=kind, after=found.after) if found.after else None,
        "is_first": not request.GET.get("after"),
    }  # fmt: skip
    return render(request, "scoring/misses.html", context)


def one_side(labels: str) -> str:
    """Misses are held against one side: the released labels cover all items."""
    return "gold" if labels == "gold" else "released"


def counted(asking: Asked, who: Rater) -> Mapping[str, Any]:
    """Kind -> {n_items, n_steps, items}; nothing for Best-of-N, which misses no step."""
    if asking.benchmark == "best_of_n":
        return {}
    return evaluations.n_misses(
        asking.project, asking.benchmark, who, labels=one_side(asking.labels), threshold=asking.threshold
    )


def first_page(
    asking: Asked, who: Rater, *, kind: str | None = None, after: str | None = None, limit: int = PAGE
) -> Found:
    if asking.benchmark == "best_of_n":
        return Found([], None)
    return _page(asking, _pager(asking, who, kind), after, limit)


def _pager(asking: Asked, who: Rater, kind: str | None) -> evaluations.Pager[evaluations.Miss]:
    return evaluations.missed(
        asking.project, asking.benchmark, who, labels=one_side(asking.labels), threshold=asking.threshold, kind=kind
    )  # fmt: skip


def _page(asking: Asked, pager: evaluations.Pager[evaluations.Miss], after: str | None, limit: int) -> Found:
    found = pager(after, limit)
    return Found(rows_of(asking, [(miss, (miss.said, miss.truth)) for miss in found.rows]), found.after)


def rows_of(asking: Asked, steps: Iterable[tuple[Any, Sayings]]) -> list[Row]:
    """Steps, those of one solution together, as rows of items: three queries. A step has item, solution, foreign_id,
    kind and position, and maybe a score."""
    listed = list(steps)
    ids = [step.item for step, _ in listed if step.item is not None]
    items = _items(asking.project, ids)
    sent = second_look.sent_ids(asking.project, ids) if ids else set()
    hidden = undecided({step.solution for step, _ in listed})
    return [
        _row(asking, list(group), items, sent, solution in hidden)
        for solution, group in groupby(listed, key=lambda one: one[0].solution)
    ]


def _items(project: Project, ids: Sequence[int]) -> dict[int, Item]:
    fields = ("decision", "held", "retired", "open_slots", "wanted", "n_submitted")
    return Item.objects.filter(project=project).only(*fields).in_bulk(ids)


def _row(
    asking: Asked,
    group: Sequence[tuple[Any, Sayings]],
    items: Mapping[int, Item],
    sent: set[int],
    is_hidden: bool,
) -> Row:
    one = group[0][0]
    item = items.get(one.item)
    if is_hidden:
        return Row(item, one.item, one.foreign_id, None, [], None, one.item in sent)
    steps = [
        StepOf(
            step.position + 1,
            tuple(label_word(asking.benchmark, label) for label in said),
            getattr(step, "score", None),
        )
        for step, said in group
    ]
    title = part_title(asking.project, asking.benchmark, one.kind)
    return Row(item, one.item, one.foreign_id, title, steps, len(steps), one.item in sent)


def _as_json(row: Row) -> dict[str, Any]:
    """Positions from 0, as everywhere but on screen; `kind`, `steps` and `n_steps` null where the item's labels may
    not be read here."""
    steps = [{"position": one.step - 1, "said": one.said, "score": one.score} for one in row.steps]
    return {
        "item": row.item_id, "foreign_id": row.foreign_id, "kind": row.kind, "n_steps": row.n_steps,
        "steps": steps or None, "sent": row.is_sent,
    }  # fmt: skip


def table(asking: Asked, who: Rater, kind: str | None) -> Iterator[list[Any]]:
    """All of the list, one line a step; one line without kind, position and labels where these may not be read here."""
    yield ["item", "foreign_id", "kind", "decision", "position", "said", one_side(asking.labels), "score"]
    if asking.benchmark == "best_of_n":
        return
    after, pager = None, _pager(asking, who, kind)
    while True:
        found = _page(asking, pager, after, AT_ONCE)
        for row in found.rows:
            head = [row.item_id, row.foreign_id, row.kind, row.item.decision if row.item else None]
            steps: list[list[Any]] = [[one.step - 1, *one.said, one.score] for one in row.steps]
            yield from ([*head, *step] for step in steps or [[None] * 4])
        after = found.after
        if after is None:
            return


def _act(request: PageRequest, asking: Asked, who: Rater, kind: str | None) -> HttpResponse:
    ids = _chosen(asking, who, kind, request.POST)
    done = _do(request, asking, who, kind, ids)
    cache.delete(f"triage:{asking.project.pk}")
    told = words.told_of(done.n, done.skipped)
    (messages.success if done.n else messages.warning)(request, told)
    return redirect(_next(request, asking, who))


def _do(request: PageRequest, asking: Asked, who: Rater, kind: str | None, ids: Sequence[int]) -> Done:
    by, project, do = request.membership, asking.project, request.POST.get("do")
    of = f", {part_title(project, asking.benchmark, kind)}" if kind else ""
    chosen = f"missed by {who}{of}"
    if do == "send":
        because = f"{who} says otherwise than the {one_side(asking.labels)} labels{of}."[:300]
        return second_look.send_to_review(
            by=by, project=project, item_ids=ids, because=because, chosen=chosen
        )
    if do == "back":
        return second_look.take_back(by=by, project=project, item_ids=ids, chosen=chosen)
    raise errors.Invalid("Choose to send items to review, or to take that back.", field="do")


def _chosen(asking: Asked, who: Rater, kind: str | None, data: QueryDict) -> list[int]:
    """Ids of items: those named, or all of the list."""
    if data.get("all"):
        counts = counted(asking, who)
        return sorted({pk for code, one in counts.items() if kind in (None, code) for pk in one["items"]})
    named = data.getlist("item")
    ids = [int(pk) for pk in named if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    if not ids or len(ids) != len(named) or len(ids) > MOST:
        raise errors.Invalid(f"Name from 1 to {MOST:,} items.", field="item")
    return ids


def _next(request: PageRequest, asking: Asked, who: Rater) -> str:
    """Where to go on: only ever inside this site."""
    asked_for = request.POST.get("next", "")
    if asked_for.startswith("/") and url_has_allowed_host_and_scheme(asked_for, {request.get_host()}):
        return asked_for
    return reverse("benchmark-misses", args=[asking.project.slug, asking.benchmark, who.pk])
