"""Forms of scoring: which model, how it is run, and a solution to try models on."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from annotator import errors
from annotator.forms import Folded, Plain
from scoring.actions import BUDGET, DEVICES, DTYPES, MOST_BUDGET, MOST_TRIED, How
from scoring.prm.catalogue import Entry

BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def spelt(entry: Entry) -> list[tuple[str, str]]:
    """MODEL:VARIANT of each variant, the usual one first."""
    names = sorted(entry.variants, key=lambda name: name != entry.default)
    return [(f"{entry.name}:{name}", f"{entry.name}, {name}") for name in names]


class Refusable(Plain, forms.Form):
    def refuse(self, refusal: errors.Invalid) -> None:
        """Show what an action refused at the field it names."""
        field = "model" if refusal.field == "variant" else refusal.field
        self.add_error(field if field in self.fields else None, refusal.message)


class ScoreForm(Folded, Refusable):
    """`given()` is what actions.start and actions.estimate take."""

    FURTHER = ("device", "dtype", "token_budget", "name")
    model = forms.ChoiceField(label="Model and variant")
    limit = forms.IntegerField(
        required=False, min_value=1, max_value=10**9, label="At most",
        help_text="So many solutions, the first of them. Empty: all there are.",
    )  # fmt: skip
    device = forms.ChoiceField(
        choices=[(one, one) for one in DEVICES],
        help_text="auto: the GPU where there is one, else the processor.",
    )
    dtype = forms.ChoiceField(
        choices=[(one, one) for one in DTYPES], label="Number format",
        help_text="auto: bfloat16 on a GPU, float32 on the processor.",
    )  # fmt: skip
    token_budget = forms.IntegerField(
        min_value=1, max_value=MOST_BUDGET, initial=BUDGET, label="Tokens of a batch",
        help_text="Halved by itself where memory runs out.",
    )  # fmt: skip
    name = forms.CharField(
        required=False, max_length=150, label="Call the rater", help_text="Empty: as its model."
    )

    def __init__(self, entries: Sequence[Entry], data: Any = None) -> None:
        super().__init__(data)
        field: Any = self.fields["model"]
        field.choices = [pair for entry in entries for pair in spelt(entry)]

    def given(self) -> dict[str, Any]:
        said = self.cleaned_data
        model, _, variant = said["model"].partition(":")
        how = How(said["device"], said["dtype"], said["token_budget"])
        return {
            "model": model, "variant": variant, "how": how, "name": said["name"], "limit": said["limit"],
        }  # fmt: skip


class TryForm(Refusable):
    problem = forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), label="Problem")
    solution = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 12}), label="Solution", help_text="An empty line between steps."
    )
    models = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Models", help_text=f"One to {MOST_TRIED} of them."
    )

    def __init__(self, entries: Sequence[Entry], data: Any = None) -> None:
        super().__init__(data)
        field: Any = self.fields["models"]
        field.choices = [pair for entry in entries for pair in spelt(entry)]

    def given(self) -> dict[str, Any]:
        said = self.cleaned_data
        return {"problem": said["problem"], "steps": steps_of(said["solution"]), "models": said["models"]}


def steps_of(text: str) -> list[str]:
    """Steps stand apart by empty lines; any kind of line end."""
    parts = BLANK_LINE.split("\n".join(text.splitlines()))
    return [part.strip("\n") for part in parts if part.strip()]
