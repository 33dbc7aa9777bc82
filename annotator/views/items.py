"""Items, for leads: the browser, and one item with everything that was said of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions import items as act
from annotator.errors import Invalid, Missing
from annotator.middleware import PageRequest
from annotator.views import item_reading, paging, words
from annotator.views.item_filters import ItemFilter, find

ACTIONS = {"hold": act.hold, "release": act.release}


def items(request: PageRequest, **_: object) -> HttpResponse:
    project = request.membership.project
    form = ItemFilter(project, request.GET)
    if not form.is_valid():
        return render(request, "annotator/items.html", {"form": form, "project": project}, status=400)
    found = find(request, form)
    context = {
        "form": form,
        "project": project,
        "page": found.page,
        "rows": [(i, words.kind_title(i.error_type), words.decision_look(i)) for i in found.page.rows],
        "n_disagreeing": found.n_disagreeing,
        "first_page": "?" + paging.first(request),
        "is_filtered": any(form.cleaned_data.values()),
    }
    return render(request, "annotator/items.html", context)


def item_page(request: PageRequest, item: int, **_: object) -> HttpResponse:
    found = item_reading.load(request.membership.project_id, item)
    if found is None:
        raise Missing("There is no such item in this project.")
    if request.method == "POST":
        return _change(request, item)
    # This GET writes: who has seen others' labels must never be given a slot, however they came to see them.
    act.look(by=request.membership, item=found)
    return render(request, "annotator/item.html", item_reading.context(found))


def _change(request: PageRequest, item_id: int) -> HttpResponse:
    action = ACTIONS.get(request.POST.get("do", ""))
    if action is None:
        raise Invalid("Hold or release it.", field="do")
    me = request.membership
    action(by=me, project=me.project, item_id=item_id, because=request.POST.get("because", ""))
    messages.success(request, "Held." if action is act.hold else "Released.")
    return redirect("item", me.project.slug, item_id)
