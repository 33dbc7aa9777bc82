"""One act on all items that pass a filter, or on those ticked: first what it would change, then the act."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from annotator import errors
from annotator.actions import assigning, bulk_items, probes
from annotator.actions.bulk_items import MAX_PRIORITY, MAX_REASON, Done
from annotator.actions.projects import MAX_OVERLAP
from annotator.forms import Plain, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Membership, Project, Use
from annotator.views import words
from annotator.views.item_filters import ItemFilter

MOST_TICKED = 1_000
FIELDS = ("n", "at_least", "to", "use", "because")


USES = [
    (Use.DEMONSTRATION, "demonstration: shown with its gold"),
    (Use.EXAM, "exam: to be judged"),
    (Use.WORK, "work: out of the exam, back to the queue"),
]


class Deed(NamedTuple):
    """title: on the button that leads here.  says: what it does.  fields: what it asks, of FIELDS.
    needs_reason: a lead has to say why.  do: the action."""

    title: str
    says: str
    fields: tuple[str, ...]
    needs_reason: bool
    do: Callable[..., Done]


DEEDS = {
    "wanted": Deed(
        "Set wanted reviewers",
        "More reviewers open an item again. Fewer decide it by what has been submitted.",
        ("n", "because"), True, bulk_items.set_wanted,
    ),
    "priority": Deed(
        "Set priority",
        "Items with a higher priority are given out first.",
        ("n", "at_least", "because"), False, bulk_items.set_priority,
    ),
    "assign": Deed(
        "Assign to a reviewer",
        "They get these before others, and nobody takes them away until they are done or taken back. Each uses a"
        " slot; items without a free one are left alone.",
        ("to", "because"), False, assigning.assign,
    ),
    "unassign": Deed(
        "Take back",
        "What was assigned and is not committed goes back to the queue. Drafts are kept.",
        ("to", "because"), False, assigning.unassign,
    ),
    "hold": Deed(
        "Hold",
        "Held items are given to nobody until you release them. Work begun on them goes on.",
        ("because",), True, bulk_items.hold_items,
    ),
    "release": Deed(
        "Release", "Held and retired items go back into the queue.", ("because",), True, bulk_items.release_items
    ),
    "retire": Deed(
        "Retire",
        "Retired items are out of the project's work. What was submitted stays, and a release brings them back.",
        ("because",), True, bulk_items.retire_items,
    ),
    "probe": Deed(
        "Use as probes",
        "Items with gold are mixed unseen into the work of reviewers who never had them, at the rate in the settings."
        " Their answers measure the reviewer and count for nothing else.",
        ("because",), False, probes.mark_probes,
    ),
    "unprobe": Deed(
        "No longer probes", "What they have measured stays.", ("because",), False, probes.unmark_probes
    ),
    "use": Deed(
        "Use for the exam",
        "Demonstrations are shown with their gold before the exam; exam items are judged in it. Both need gold and are"
        " held, so that the queue gives them to nobody.",
        ("use", "because"), False, probes.set_use,
    ),
}  # fmt: skip


class DeedForm(Plain, forms.Form):
    """What an act asks."""

    n = forms.IntegerField()
    at_least = forms.BooleanField(required=False, label="Only raise: leave those that have more")
    to = forms.ChoiceField()
    use = forms.ChoiceField(choices=USES, label="As")
    because = forms.CharField(max_length=MAX_REASON, label="Why", strip=True)

    def __init__(self, name: str, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        deed = DEEDS[name]
        for other in set(FIELDS) - set(deed.fields):
            del self.fields[other]
        self.fields["because"].required = deed.needs_reason
        self.fields["because"].label = "Why" if deed.needs_reason else "Why (may be empty)"
        if "n" in self.fields:
            lowest, highest = (1, MAX_OVERLAP) if name == "wanted" else (-MAX_PRIORITY, MAX_PRIORITY)
            label = "Reviewers wanted for each" if name == "wanted" else "Priority"
            self.fields["n"] = forms.IntegerField(min_value=lowest, max_value=highest, label=label)
        if "to" in self.fields:
            members = Membership.objects.filter(project=project).order_by("user__username")
            people = [(str(pk), who) for pk, who in members.values_list("pk", "user__username")]
            empty = [("", "anybody")] if name == "unassign" else [("", "choose")]
            self.fields["to"] = forms.ChoiceField(
                choices=[*empty, *people], label="Reviewer", required=name != "unassign"
            )


@dataclass(frozen=True)
class Chosen:
    """The items an act is about. `query`: the filter or the ticks, for an address; `said`: for people."""

    ids: list[int]
    query: str
    said: str

    @property
    def seen(self) -> str:
        """Tells these items from any others, so that nobody changes what they were not shown."""
        return sha256(",".join(map(str, self.ids)).encode()).hexdigest()[:16]


def bulk(request: PageRequest, **_: object) -> HttpResponse:
    project, data = request.membership.project, request.POST if request.method == "POST" else request.GET
    name = data.get("do", "")
    if name not in DEEDS:
        raise errors.Invalid("Choose what to do with these items.", field="do")
    choice = choice_of(project, data)
    if request.method != "POST":
        given = {field: data[field] for field in FIELDS if field in data}
        return _page(request, name, choice, DeedForm(name, project, initial=given))
    form = DeedForm(name, project, data)
    if data.get("seen") != choice.seen:
        form.add_error(None, "Other items pass this filter by now. Look at the new number and go on.")
    elif form.is_valid():
        with refusals_in(form):
            return _do(request, name, choice, form)
    return _page(request, name, choice, form, status=409 if data.get("seen") != choice.seen else 400)


def choice_of(project: Project, data: QueryDict) -> Chosen:
    """The ticked items of the project, or all that pass the filter; raises Invalid."""
    ticked = [int(pk) for pk in data.getlist("tick") if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    if ticked:
        if len(ticked) > MOST_TICKED:
            raise errors.Invalid(f"Tick at most {MOST_TICKED:,} items, or use a filter.", field="tick")
        ids = sorted(project.items.filter(pk__in=ticked).values_list("pk", flat=True))
        return Chosen(
            ids, urlencode([("tick", pk) for pk in ids]), f"ticked: {', '.join(map(str, ids[:20]))}"
        )
    form = ItemFilter(project, data)
    if not form.is_valid():
        raise errors.Invalid(
            "A filter has a value that is not one of its choices.", field=next(iter(form.errors))
        )
    chosen = [(name, str(value)) for name, value in form.cleaned_data.items() if value]
    said = ", ".join(f"{form[name].label}: {form.said(name)}" for name, _ in chosen)
    return Chosen(form.ids(), urlencode(chosen), said or "all items")


def _page(request: PageRequest, name: str, choice: Chosen, form: DeedForm, status: int = 200) -> HttpResponse:
    query = QueryDict(choice.query)
    context = {
        "name": name,
        "deed": DEEDS[name],
        "choice": choice,
        "n": len(choice.ids),
        "hidden": [(key, value) for key, values in query.lists() for value in values],
        "form": form,
        "project": request.membership.project,
    }
    return render(request, "annotator/bulk.html", context, status=status)


def _do(request: PageRequest, name: str, choice: Chosen, form: DeedForm) -> HttpResponse:
    me = request.membership
    done = DEEDS[name].do(
        by=me, project=me.project, item_ids=choice.ids, chosen=choice.said, **_given(name, form)
    )
    cache.delete(f"triage:{me.project_id}")
    told = words.told_of(done.n, done.skipped)
    (messages.success if done.n else messages.warning)(request, told)
    if name == "assign" and form.cleaned_data["to"] == str(me.pk) and done.n:
        return redirect("mine", me.project.slug)
    return redirect(
        f"{reverse('items', args=[me.project.slug])}?{'' if 'tick=' in choice.query else choice.query}"
    )


def _given(name: str, form: DeedForm) -> dict[str, Any]:
    """What an action takes; a member, where one was chosen, instead of the id."""
    given = dict(form.cleaned_data)
    if "to" in given:
        chosen = Membership.objects.select_related("user", "project").filter(pk=given.pop("to") or 0)
        given["of" if name == "unassign" else "to"] = chosen.first()
    return given
