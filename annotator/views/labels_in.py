"""Labels made elsewhere, for leads: say whose they are, upload, watch the check. imports.py shows what became of it."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions import annotation_import as acts
from annotator.actions.annotation_import_report import JudgementReport
from annotator.formats.fields import MAX_RATER
from annotator.forms import Plain, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Import, RaterKind
from annotator.views.transfer_forms import ManyFilesField

FORMATS = [
    ("jsonl", "JSON lines of your own"),
    ("prmbench_results", "PRMBench’s result rows"),
    ("processbench_results", "ProcessBench’s result rows"),
    ("potato", "Potato’s process rewards"),
]
KINDS = {
    RaterKind.PRM: "a process reward model (prm)",
    RaterKind.JUDGE: "an LLM that names the first error (judge)",
    RaterKind.CRITIC: "an LLM that scores each step (critic)",
    RaterKind.ROLLOUTS: "sampled continuations (rollouts)",
    RaterKind.CONSENSUS: "a consensus of others (consensus)",
    RaterKind.INJECTOR: "whoever put the errors in (injector)",
    RaterKind.SOURCE: "a person, or another data set (source)",
}
ZEROS = [("", "not said: such a record is refused"), ("neutral", "neutral"), ("wrong", "wrong")]
SELDOM = ("zero", "trust_verified", "neutral_button")
EXAMPLES = (
    '{"id": "gsm8k-7", "scores": [0.98, 0.91, 0.12]}',
    '{"id": "gsm8k-7", "labels": "++-."}',
    '{"digest": "3f6c…", "first_error": 2}',
)


class LabelsForm(Plain, forms.Form):
    """Rules live in the action. `kind` and `rater`, its name, are one option there."""

    uploads = ManyFilesField(label="Files", help_text="Several at once if you like; .gz too.")
    format = forms.ChoiceField(choices=FORMATS)
    kind = forms.ChoiceField(choices=list(KINDS.items()), label="Who labelled")
    rater = forms.CharField(
        max_length=MAX_RATER, required=False, label="Called",
        help_text="Such as my-prm-7b. Empty: as each record says.",
    )  # fmt: skip
    map = forms.CharField(
        required=False, max_length=1_000, label="Where things are (JSON lines)",
        help_text="Such as id=uid,scores=output.step_scores. Empty: id, digest, labels, scores, first_error, rater.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    zero = forms.ChoiceField(choices=ZEROS, required=False, label="0 in a list of labels means")
    threshold = forms.FloatField(
        initial=0.5, help_text="Where there are scores alone, a step is right above it."
    )
    trust_verified = forms.BooleanField(
        required=False, label="Potato: count the LLM’s labels that are marked as verified"
    )
    neutral_button = forms.BooleanField(
        required=False, label="Potato: there was a neutral button, so 0 is a judgement"
    )
    strict = forms.BooleanField(
        required=False, label="All or nothing: write nothing if any record is bad or of no solution here"
    )
    dry_run = forms.BooleanField(required=False, label="Check only; I decide then")

    @property
    def common(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in SELDOM]

    @property
    def seldom(self) -> list[forms.BoundField]:
        return [self[name] for name in SELDOM]

    @property
    def is_seldom_open(self) -> bool:
        """Nothing that was chosen, or is wrong, stays out of sight."""
        return any(field.errors or (self.is_bound and field.value()) for field in self.seldom)

    def asked(self) -> dict[str, Any]:
        """What the action wants to know."""
        chosen = dict(self.cleaned_data)
        chosen["rater"] = f"{chosen.pop('kind')}:{chosen['rater']}"
        return chosen


def import_labels(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    form = LabelsForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            row = acts.start_upload(by=me, project=me.project, **form.asked())
            return redirect("import", project, row.pk)
    context = {"form": form, "project": me.project, "examples": EXAMPLES}
    return render(request, "annotator/import_labels.html", context, status=400 if form.errors else 200)


def found_in(row: Import) -> dict[str, Any]:
    """What the page of such an import (import_judgements.html) shows beside what all imports have."""
    report = JudgementReport.from_json(row.report)
    return {
        "report": report,
        "errors": _places(report.errors),
        "unknown": _places(report.unknown),
        "raters": sorted(report.raters.items()),
        "n_hidden": report.n_bad - len(report.errors),
        "n_unknown_hidden": report.n_unknown - len(report.unknown),
    }


def _places(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Files without folders: where a command's lie on the server is nobody's business on a page."""
    return [place | {"file": PurePath(place["file"]).name} for place in listed]
