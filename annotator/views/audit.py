"""What happened in the project, for leads: a list to filter, and the same as a file."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from annotator import audit, errors
from annotator.middleware import PageRequest
from annotator.models import Project
from annotator.views import paging
from annotator.views.hours import Echo

ANY = ("", "anything")
SERVER = "server"
DAY = forms.DateInput(attrs={"type": "date"})
TYPES = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}


class EventFilter(forms.Form):
    """Which events; what is not among the choices is refused, so that a typing error never looks like no events."""

    actor = forms.ChoiceField(required=False, label="Who")
    verb = forms.ChoiceField(required=False, label="What", choices=[ANY, *audit.verbs()])
    item = forms.IntegerField(required=False, min_value=1, max_value=paging.LARGEST)

    def __init__(self, project: Project, data: Any) -> None:
        super().__init__(data)
        for name, label in (("from", "From"), ("to", "To")):  # one of them is a word of Python
            self.fields[name] = forms.DateField(required=False, label=label, widget=DAY)
        people = [(str(user.pk), user.get_username()) for user in audit.actors(project)]
        actor = self.fields["actor"]
        assert isinstance(actor, forms.ChoiceField)  # noqa: S101
        actor.choices = [("", "anybody"), *people, (SERVER, audit.SERVER)]
        for name, field in self.fields.items():
            field.widget.attrs["id"] = f"filter-{name}"

    def wanted(self) -> audit.Wanted:
        said = self.cleaned_data
        actor = 0 if said["actor"] == SERVER else int(said["actor"]) if said["actor"] else None
        return audit.Wanted(said["verb"], actor, said["item"], said["from"], said["to"])


def audit_page(request: PageRequest, **_: object) -> HttpResponse:
    """Without how anybody judged: reading that costs one's slot on the item, so the item's page tells it."""
    project = request.membership.project
    form = EventFilter(project, request.GET)
    context: dict[str, Any] = {"form": form, "project": project}
    if not form.is_valid():
        return render(request, "annotator/audit.html", context, status=400)
    page = paging.page(request, audit.rows(project, form.wanted()), newest_first=True)
    context |= {
        "page": page,
        "events": [audit.tell(event, shows_labels=False) for event in page.rows],
        "first_page": "?" + paging.first(request),
        "query": paging.first(request),
        "is_filtered": any(form.cleaned_data.values()),
    }
    return render(request, "annotator/audit.html", context)


def audit_file(request: PageRequest, **_: object) -> StreamingHttpResponse:
    """All that pass the filters, oldest first, as JSON Lines or CSV (`?as=`), with everything that is kept."""
    project = request.membership.project
    form = EventFilter(project, request.GET)
    if not form.is_valid():
        name = next(iter(form.errors))
        raise errors.Invalid(f"{name}: {form.errors[name][0]}", field=name)
    kind = request.GET.get("as", "jsonl")
    if kind not in TYPES:
        raise errors.Invalid("Choose jsonl or csv.", field="as")
    events = audit.oldest_first(audit.rows(project, form.wanted()))
    lines = audit.json_lines(events) if kind == "jsonl" else _csv(audit.table(events))
    response = StreamingHttpResponse(lines, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{project.slug}-audit.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _csv(rows: Iterator[list[str]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    return (str(writer.writerow(row)) for row in rows)
