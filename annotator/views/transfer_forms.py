"""The form of an import. Rules live in the actions; forms say them early."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from annotator.actions.projects import MAX_OVERLAP
from annotator.formats import READABLE
from annotator.forms import Plain
from annotator.models import Project, Protocol

TITLES = {
    "prmbench": "PRMBench (JSON lines)",
    "processbench": "ProcessBench (one JSON list)",
    "prm800k": "PRM800K (JSON lines)",
    "math_shepherd": "Math-Shepherd (JSON lines)",
    "trl": "TRL stepwise supervision (JSON lines)",
    "best_of_n": "Best of N (JSON lines)",
    "label_studio": "Label Studio (JSON)",
    "jsonl": "Your own JSON lines",
}
READ_CHOICES = [(name, TITLES.get(name, name)) for name in READABLE]


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files in one field; its value is a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        files = data if data and isinstance(data, list | tuple) else [data or None]
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class ImportForm(Plain, forms.Form):
    uploads = ManyFilesField(label="Files", help_text="Several at once if you like; .gz too.")
    format = forms.ChoiceField(choices=READ_CHOICES)
    protocol = forms.ChoiceField(
        required=False,
        help_text="Unless you choose, other right solutions (multi_solutions) get “check solution”.",
    )
    overlap = forms.IntegerField(
        min_value=1, max_value=MAX_OVERLAP, required=False, label="Reviewers for each item"
    )
    licence = forms.CharField(
        max_length=60, required=False, help_text="Of the data, such as apache-2.0: releases state it."
    )
    strict = forms.BooleanField(required=False, label="All or nothing: write nothing if any record is bad")
    dry_run = forms.BooleanField(required=False, label="Check only; I decide then")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = f"the project's: {Protocol(project.protocol).label}"
        self.fields["protocol"].choices = [("", usual), *Protocol.choices]  # type: ignore[attr-defined]
        self.fields["overlap"].help_text = f"The project's: {project.overlap}."
