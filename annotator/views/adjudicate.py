"""Adjudication: which items wait, and one item to settle. A plain form; adjudicate.js adds keys and undo."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from annotator import errors, policies
from annotator.actions import adjudicate as acts
from annotator.actions import adjudication_queue as queue
from annotator.actions import items as item_acts
from annotator.caching import self_tuned
from annotator.core import labels as lab
from annotator.middleware import PageRequest
from annotator.models import Decision, Item, Project
from annotator.views import adjudication, item_reading, review_form, words

NO_KIND: Final = "none"


def adjudicate(request: PageRequest, project: str) -> HttpResponse:
    """How many items wait, by kind, and why settled ones were in dispute; with ?next=1, the next item."""
    me = request.membership
    if "next" in request.GET:
        return redirect(_next(request))
    kinds = self_tuned(f"disputed:{me.project_id}", lambda: _by_kind(me.project))
    causes = self_tuned(f"causes:{me.project_id}", lambda: acts.cause_counts(me.project))
    context = {
        "kinds": kinds,
        "causes": [(acts.CAUSES[cause], cause, n) for cause, n in causes.items()],
        "n_held": self_tuned(f"disputed-held:{me.project_id}", lambda: _held(me.project)),
        "n_waiting": sum(kind["n"] for kind in kinds),
        "n_settled": sum(causes.values()),
    }
    return render(request, "annotator/adjudicate.html", context)


def _by_kind(project: Project) -> list[dict[str, Any]]:
    """The most first."""
    rows = queue.disputed(project).order_by().values_list("error_type").annotate(n=Count("pk"))
    return [
        {"code": code or NO_KIND, "title": words.kind_title(code, project.error_types), "n": n}
        for code, n in sorted(rows, key=lambda row: (-row[1], row[0]))
    ]


def _held(project: Project) -> int:
    return Item.objects.filter(project=project, decision=Decision.CONFLICTED, held=True).count()


def _next(request: PageRequest) -> str:
    """Where the next disputed item is; the overview where none is left."""
    me, kind = request.membership, request.GET.get("kind", "") or None
    after = request.GET.get("after", "")
    passed = None
    if after.isdecimal() and len(after) < 19:
        passed = Item.objects.filter(project=me.project_id, pk=int(after)).first()
        if passed:
            queue.let_go(me, passed)
    found = queue.next_item(me, "" if kind == NO_KIND else kind, passed)
    if found is None:
        messages.info(
            request, "Nothing more waits for you here." if passed else "Nothing waits for you here."
        )
        return reverse("adjudicate", args=[me.project.slug])
    return _address(me.project, found.pk, kind)


def _address(project: Project, item_id: int, kind: str | None) -> str:
    address = reverse("adjudicate-item", args=[project.slug, item_id])
    return f"{address}?{urlencode({'kind': kind})}" if kind else address


def adjudicate_item(request: PageRequest, project: str, item: int) -> HttpResponse:
    found = item_reading.load(request.membership.project_id, item)
    if found is None:
        raise errors.Missing("There is no such item in this project.")
    found.project = request.membership.project
    if request.method != "POST":
        return _show(request, found)
    handler = DO.get(request.POST.get("do", "")) or (_adopt if "adopt" in request.POST else None)
    if handler is None:
        raise errors.Invalid("Settle it, ask for one more reviewer, or hold it.", field="do")
    try:
        return handler(request, found)
    except (errors.Invalid, errors.Conflict) as error:
        found.refresh_from_db(fields=["decision", "n_submitted", "wanted"])
        return _show(request, found, _entered(request, found), error)


def _show(
    request: PageRequest,
    item: Item,
    entered: dict[str, Any] | None = None,
    error: errors.PlumblineError | None = None,
) -> HttpResponse:
    me = request.membership
    if item.decision not in acts.SETTLES:
        messages.info(request, f"This item is {item.decision}: there is nothing to settle.")
        return redirect("item", me.project.slug, item.pk)
    own_label = policies.check_may_adjudicate(me, item)
    # This GET writes: who has seen others' labels gets no slot, and other leads are given another item.
    item_acts.look(by=me, item=item)
    queue.take(me, item)
    page = adjudication.build(item, me, entered, _shows_names(request))
    context = {
        "page": page, "error": error, "own_label": own_label, "kind": request.GET.get("kind", ""),
        "missing": getattr(error, "positions", []), "choices": adjudication.CHOICES,
    }  # fmt: skip
    return render(request, "annotator/adjudicate_item.html", context, status=error.status if error else 200)


def _shows_names(request: PageRequest) -> bool:
    return request.GET.get("names") == "1"


def _entered(request: PageRequest, item: Item) -> dict[str, Any]:
    """Labels and types as they were entered, of as many steps as there are; what was not sent is empty."""
    sent = review_form.read(request.POST)
    labels = sent["labels"][: item.solution.n_steps].ljust(item.solution.n_steps, lab.UNJUDGED)
    known = "".join(label if label in lab.LABELS else lab.UNJUDGED for label in labels)
    return {
        "labels": known, "error_types": sent["error_types"], "bulk": sent["bulk"],
        "cause": request.POST.get("cause", ""), "reason": request.POST.get("reason", ""),
    }  # fmt: skip


def _adopt(request: PageRequest, item: Item) -> HttpResponse:
    """Take over a column, or of a column one step ("2" or "2.5"): shown, not saved. With a script the page does it."""
    entered = _entered(request, item)
    page = adjudication.build(item, request.membership, entered, _shows_names(request))
    column, _, step = request.POST["adopt"].partition(".")
    labels = list(entered["labels"])
    for row in page.rows:
        for said in row.said:
            if row.step is not None and str(said.at) == column and step in ("", str(row.step)):
                labels[row.step] = said.label
                entered["bulk"] = [at for at in entered["bulk"] if at != row.step] + (
                    [] if step else [row.step]
                )
                entered["error_types"][str(row.step)] = said.codes.split()
    return _show(request, item, {**entered, "labels": "".join(labels)})


def _settle(request: PageRequest, item: Item) -> HttpResponse:
    entered = _entered(request, item)
    acts.settle(
        by=request.membership, item_id=item.pk, seen=request.POST.get("seen", ""),
        shown_names=_shows_names(request), **entered,
    )  # fmt: skip
    messages.success(request, f"Item {item.pk} is settled.")
    return _onwards(request)


def _more(request: PageRequest, item: Item) -> HttpResponse:
    because = _reason(request, "Say why one more reviewer should look.")
    acts.one_more(by=request.membership, item_id=item.pk, because=because, seen=request.POST.get("seen", ""))
    messages.success(request, f"Item {item.pk} goes to one more reviewer.")
    return _onwards(request)


def _hold(request: PageRequest, item: Item) -> HttpResponse:
    me, because = request.membership, _reason(request, "Say why it is held.")
    item_acts.hold(by=me, project=me.project, item_id=item.pk, because=because)
    messages.success(request, f"Item {item.pk} is held: it waits among the items until somebody releases it.")
    return _onwards(request)


def _reason(request: PageRequest, asked: str) -> str:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        raise errors.Incomplete(asked, field="reason")
    return reason


def _onwards(request: PageRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    query = urlencode({"next": 1} | ({"kind": kind} if kind else {}))
    return redirect(f"{reverse('adjudicate', args=[request.membership.project.slug])}?{query}")


DO: dict[str, Callable[[PageRequest, Item], HttpResponse]] = {"settle": _settle, "more": _more, "hold": _hold}
