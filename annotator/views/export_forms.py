"""The form of an export. What a format can say is ruled in the actions; the form says it early."""

from typing import Any

from django import forms

from annotator import errors
from annotator.actions import export_options
from annotator.actions.exports import format_written
from annotator.actions.projects import MAX_OVERLAP
from annotator.formats import FORMATS, WRITABLE
from annotator.forms import Plain
from annotator.views.transfer_forms import TITLES

WRITE_TITLES = TITLES | {
    "prmbench_results": "PRMBench results (a row a solution, as its toolkit writes)",
    "processbench_results": "ProcessBench results (with prediction and match)",
    "rlhflow": "RLHFlow conversations",
    "openrlhf": "OpenRLHF (a mark after each step)",
    "qwen": "Qwen messages",
    "pairs": "Step-DPO pairs (original against injected step)",
}
WRITE_CHOICES = [(name, WRITE_TITLES.get(name, name)) for name in WRITABLE]
USUAL = ("", "as the format has it")
LABEL_OPTIONS = ("neutral", "redundant", "after_first_error", "threshold")


class ExportForm(Plain, forms.Form):
    """`which` is drawn by the page, with how many annotations each choice is."""

    format = forms.ChoiceField(choices=WRITE_CHOICES)
    which = forms.CharField(initial="gold", max_length=200, widget=forms.HiddenInput)
    min_raters = forms.IntegerField(
        min_value=1, max_value=MAX_OVERLAP, initial=1, label="Reviewers at least",
        help_text="2 or more: only what so many have submitted.",
    )  # fmt: skip
    neutral = forms.ChoiceField(
        choices=[USUAL, ("right", "right"), ("wrong", "wrong"), ("drop", "no label"), ("keep", "neutral")],
        required=False, label="Neutral steps are",
        help_text="Qwen and PURE train on them as right; TRL's own script made them wrong.",
    )  # fmt: skip
    redundant = forms.ChoiceField(
        choices=[USUAL, ("wrong", "wrong"), ("neutral", "neutral"), ("right", "right"), ("keep", "as labelled")],
        required=False, label="Steps that are only redundant are",
        help_text="PRMBench calls them wrong, PRM800K neutral.",
    )  # fmt: skip
    after_first_error = forms.ChoiceField(
        choices=[USUAL, ("drop", "left out"), ("keep", "kept")],
        required=False, label="Labels after the first wrong step are",
    )  # fmt: skip
    threshold = forms.FloatField(
        required=False, label="A score is right above",
        help_text="Empty: the labels as stored, and 0.5 where there are only scores.",
    )  # fmt: skip
    retired = forms.BooleanField(required=False, label="Retired items too")

    def clean(self) -> dict[str, Any]:
        if "format" in self.cleaned_data and not self.errors.keys() & set(LABEL_OPTIONS):
            try:
                self.chosen()
            except errors.Invalid as error:
                self.add_error(error.field if error.field in self.fields else None, error.message)
        return self.cleaned_data

    def label_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in LABEL_OPTIONS]

    def chosen(self) -> export_options.Chosen:
        """What the form says of labels, once it is clean so far. Raises Invalid as the action does."""
        return export_options.choose(format_written(self.cleaned_data["format"]), self._options())

    def asked(self) -> dict[str, Any]:
        """What the action is called with."""
        named = {name: self.cleaned_data[name] for name in ("format", "which", "min_raters")}
        return {**named, "options": self._options()}

    def _options(self) -> dict[str, Any]:
        given = {name: self.cleaned_data.get(name) for name in export_options.NAMES}
        return {name: value for name, value in given.items() if value not in (None, "", False)}


def first_chosen(form: ExportForm) -> export_options.Chosen | None:
    """What the page's example shows: the form's choices, the first format's own way before there are any, or
    None where they cannot be."""
    if not form.is_bound:
        return export_options.choose(FORMATS[WRITABLE[0]], {})
    form.is_valid()
    fields = set(form.errors) & {"format", *LABEL_OPTIONS}
    return None if fields else form.chosen()
