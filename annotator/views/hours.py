"""Hours per reviewer and day, as a file for a spreadsheet."""

import csv
from typing import Any

from django import forms
from django.http import StreamingHttpResponse

from annotator import errors
from annotator import hours as work
from annotator.middleware import PageRequest


class Span(forms.Form):
    """Both days are included; an empty one bounds nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("from", "to"):  # one of them is a word of Python
            self.fields[name] = forms.DateField(required=False)


class Echo:
    """A file whose write returns what csv would have written."""

    def write(self, text: str) -> str:
        return text


def hours(request: PageRequest, **_: object) -> StreamingHttpResponse:
    form = Span(request.GET)
    if not form.is_valid():
        name = next(iter(form.errors))
        raise errors.Invalid(f"{name}: write a day as 2026-11-30.", field=name)
    project = request.membership.project
    rows = work.days(project, form.cleaned_data["from"], form.cleaned_data["to"])
    writer = csv.writer(Echo())
    lines = (str(writer.writerow(row)) for row in work.table(rows))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{project.slug}-hours.csv"'
    return response
