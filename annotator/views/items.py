"""Items, for leads: the browser, and one item with everything that was said of it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions import assigning
from annotator.actions import items as act
from annotator.actions.adjudicate import reopen_decision
from annotator.errors import Invalid, Missing
from annotator.middleware import PageRequest
from annotator.models import Assignment, AssignmentState
from annotator.views import item_reading, paging, words
from annotator.views.bulk import DEEDS
from annotator.views.item_filters import ItemFilter, find, tags_of


def items(request: PageRequest, **_: object) -> HttpResponse:
    project = request.membership.project
    form = ItemFilter(project, request.GET)
    if not form.is_valid():
        return render(request, "annotator/items.html", {"form": form, "project": project}, status=400)
    found = find(request, form)
    tags = tags_of(found.page.rows)
    context = {
        "form": form,
        "project": project,
        "page": found.page,
        "rows": [
            (
                item,
                words.kind_title(item.error_type),
                words.decision_look(item),
                tags.get(item.solution_id, []),
            )
            for item in found.page.rows
        ],
        "n_disagreeing": found.n_disagreeing,
        "first_page": "?" + paging.first(request),
        "is_filtered": any(form.cleaned_data.values()),
        "chosen": [(name, form.data[name]) for name, value in form.cleaned_data.items() if value],
        "deeds": [(name, deed.title) for name, deed in DEEDS.items()],
    }
    return render(request, "annotator/items.html", context)


def item_page(request: PageRequest, item: int, **_: object) -> HttpResponse:
    found = item_reading.load(request.membership.project_id, item)
    if found is None:
        raise Missing("There is no such item in this project.")
    found.project = request.membership.project
    if request.method == "POST":
        return _change(request, item)
    # This GET writes: who has seen others' labels must never be given a slot, however they came to see them.
    act.look(by=request.membership, item=found)
    return render(request, "annotator/item.html", item_reading.context(found))


def _change(request: PageRequest, item_id: int) -> HttpResponse:
    do = request.POST.get("do", "")
    if do not in DO:
        raise Invalid("Hold it, release it or take it back from somebody.", field="do")
    messages.success(request, DO[do](request, item_id, request.POST.get("because", "")))
    return redirect("item", request.membership.project.slug, item_id)


def _hold(request: PageRequest, item_id: int, because: str) -> str:
    me = request.membership
    act.hold(by=me, project=me.project, item_id=item_id, because=because)
    return "Held."


def _release(request: PageRequest, item_id: int, because: str) -> str:
    me = request.membership
    act.release(by=me, project=me.project, item_id=item_id, because=because)
    return "Released."


def _reopen_decision(request: PageRequest, item_id: int, because: str) -> str:
    me = request.membership
    reopen_decision(by=me, project=me.project, item_id=item_id, because=because)
    return "Reopened: the reviewers' judgements decide again."


def _take_back(request: PageRequest, item_id: int, because: str) -> str:
    me, asked = request.membership, request.POST.get("assignment", "")
    here = Assignment.objects.filter(
        item=item_id, project=me.project, pk=int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    )
    mine = here.first()
    if mine is None:
        raise Missing("Nobody has this item like that.")
    done = assigning.take_back(by=me, project=me.project, assignment_id=mine.pk, because=because)
    return "Closed: what was stored counts." if done.state == AssignmentState.SUBMITTED else "Taken back."


DO: dict[str, Callable[[PageRequest, int, str], str]] = {
    "hold": _hold,
    "release": _release,
    "take-back": _take_back,
    "reopen-decision": _reopen_decision,
}
