"""The pull of the machine, for leads: what the reveal does to labels. The same as JSON and CSV."""

from typing import Any, NamedTuple

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render

from annotator import errors
from annotator.core.pull import RATES
from annotator.middleware import PageRequest
from annotator.models import BlindShows, Membership, Project
from annotator.reports import pull as report
from annotator.views import words
from annotator.views.acceptance import Band, band_of
from annotator.views.files import csv_file
from annotator.views.item_filters import NO_KIND

TITLES = {
    "items": "Reviews changed",
    "steps": "Steps changed",
    "towards": "Moved to the machine",
    "away": "Moved away from it",
    "spoiled": "Right turned wrong",
    "mended": "Wrong turned right",
}
SAYS = {
    "items": "of the reviews: some label was changed after the reveal",
    "steps": "of the steps judged before and after",
    "towards": "of the steps judged otherwise than by the machine before",
    "away": "of the steps judged as by the machine before",
    "spoiled": "of the steps that were right before, by the decision of others",
    "mended": "of the steps that were wrong before, by the decision of others",
}
BY = {"rater": "Reviewer", "kind": "Kind of error", "source": "Machine"}
STANDINGS = {"as_machine": "as the machine says", "as_decided": "as others decided"}


class Row(NamedTuple):
    title: str
    says: str
    rate: dict[str, Any]
    band: Band | None


class Part(NamedTuple):
    """A row of a table by reviewer, kind or machine; `query` is the items filter for it, or ""."""

    title: str
    query: str
    cells: list[dict[str, Any]]


class Setting(NamedTuple):
    """What was seen, in words; the report's numbers; rows and tables made of them."""

    title: str
    data: dict[str, Any]
    rows: list[Row]
    standings: list[tuple[str, dict[str, Any] | None, dict[str, Any]]]
    tables: list[tuple[str, list[Part]]]


def pull(request: PageRequest, **_: object) -> HttpResponseBase:
    """`?format=json` or `csv` gives the numbers."""
    project, written = request.membership.project, request.GET.get("format", "")
    if written not in ("", "json", "csv"):
        raise errors.Invalid("Choose json or csv.", field="format")
    found = report.current(project)
    if written == "json":
        return JsonResponse(found, json_dumps_params={"indent": 2})
    if written == "csv":
        return csv_file(report.table(found), f"{project.slug}-pull.csv")
    people = dict(Membership.objects.filter(project=project).values_list("rater__name", "rater"))
    settings = [_setting(one, project, people) for one in found["settings"]]
    titles = [TITLES[name] for name in RATES]
    context = {"project": project, "found": found, "settings": settings, "titles": titles}
    return render(request, "annotator/pull.html", context)


def _setting(data: dict[str, Any], project: Project, people: dict[str, int]) -> Setting:
    rates = data["rates"] or {}
    return Setting(
        title_of(data),
        data,
        [Row(TITLES[name], SAYS[name], rate, band_of(rate)) for name, rate in rates.items()],
        [
            (title, data["before"][name] if data["before"] else None, data["after"][name])
            for name, title in STANDINGS.items()
        ],
        [
            (BY[by], [_part(by, value, found, project, people) for value, found in values.items()])
            for by, values in data["by"].items()
            if values
        ],
    )


def title_of(data: dict[str, Any]) -> str:
    """What reviewers saw, as people say it: "the solution with what changed, labels first"."""
    shows = dict(BlindShows.choices).get(data["blind_shows"], data["blind_shows"] or "not recorded")
    return f"{shows}, labels first" if data["labels_first"] else "what machines said, from the beginning"


def _part(by: str, value: str, rates: dict[str, Any], project: Project, people: dict[str, int]) -> Part:
    title, query = value, ""
    if by == "kind":
        title, query = words.kind_title(value, project.error_types), f"kind={value or NO_KIND}"
    elif by == "rater" and value in people:
        query = f"reviewer={people[value]}"
    return Part(title, query, [rates[name] for name in RATES])
