"""Where things are in a group's own files, as a form: a select for each of our words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms

from annotator.actions.import_preview import Sample
from annotator.formats.guessing import guess
from annotator.formats.mapping import parse_map, spelled
from annotator.formats.readings import JUDGED, MAPPED
from annotator.forms import Plain

WORDS = {
    "problem": ("Problem", "The question itself."),
    "answer": ("Reference answer", ""),
    "steps": ("Solution, as a list of steps", "This, or the solution as one text; neither: problems alone."),
    "response": ("Solution, as one text", "Split into steps as you choose next."),
    "id": ("Id", "Of the record; without one a digest of its text serves."),
    "group": ("Group", "Ties all versions of one problem; without one, equal problems are tied."),
    "labels": ("Labels of the steps", "+ - 0 ? . or true, false, 1, 0, -1, null: one a step."),
    "scores": ("Scores of the steps", "A number a step."),
    "first_error": ("First error", "Counted from 0; -1 for none."),
    "rater": ("Who labelled", ""),
}
SPLITS = [
    ("blank-line", "at blank lines"),
    ("numbered", "before numbered lines (1. 2. or Step 1: …)"),
    ("none", "not at all: one step"),
]
ZEROS = [("", "not said: a 0 is an error"), ("neutral", "neutral"), ("wrong", "wrong")]
MAX_EXAMPLE = 40
NOWHERE = ("", "– nowhere –")
SECTIONS = (
    ("The problem", ("problem", "answer", "group")),
    ("The solution", ("steps", "response", "split", "id")),
    ("Its labels, if it has any", ("labels", "zero", "scores", "threshold", "first_error", "rater")),
    ("Its labels", ("control", "first")),
)


class MapForm(Plain, forms.Form):
    """`split`, `zero` and so on are formats.readings'; `meta` may have several places."""

    split = forms.ChoiceField(choices=SPLITS, label="Split one text into steps")
    zero = forms.ChoiceField(choices=ZEROS, required=False, label="Among labels, 0 means")
    threshold = forms.FloatField(
        min_value=0, max_value=1, label="A step is right above a score of",
        help_text="Where a record has scores and no labels.", widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    control = forms.CharField(required=False, max_length=200, label="Controls that label steps begin with")
    first = forms.TypedChoiceField(
        coerce=int, choices=[(0, "0"), (1, "1")], label="The first step's number in names of controls"
    )
    meta = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Keep as facts to slice by"
    )
    more = forms.CharField(
        required=False, max_length=2000, label="Places that are not listed",
        help_text="As word=place, such as response=samples.0; commas between.",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, sample: Sample, told: tuple[str, ...]) -> None:
        super().__init__(data)
        self._words = [word for word in WORDS if told == MAPPED or word not in JUDGED]
        places = [(place, f"{place}: {_example(value)}") for place, value in sample.places.items()]
        for word in self._words:
            label, hint = WORDS[word]
            self.fields[word] = forms.ChoiceField(
                choices=[NOWHERE, *places], required=False, label=label, help_text=hint
            )
        self.fields["meta"].choices = places  # type: ignore[attr-defined]
        for name in {"zero", "threshold", "control", "first"} - set(told):
            del self.fields[name]
        self._told = [name for name in told if name != "map"]
        if "control" in self.fields:
            seen = ", ".join(sample.controls[:12]) or "none"
            self.fields["control"].help_text = f"Empty: any with a known choice. In these records: {seen}."

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Titles with the fields below them, as far as this form has them."""
        for title, names in SECTIONS:
            fields = [self[name] for name in names if name in self.fields]
            if fields:
                yield title, fields

    def reading(self) -> dict[str, Any]:
        """What the format's reader is to be told; the form is valid."""
        said = self.cleaned_data
        parts = [f"{word}={said[word]}" for word in self._words if said[word]]
        parts += [f"meta={place}" for place in said["meta"]]
        parts += [said["more"]] if said["more"] else []
        return {"map": ",".join(parts)} | {name: said[name] for name in self._told}


def likely(sample: Sample, told: tuple[str, ...], reading: Mapping[str, Any]) -> dict[str, Any]:
    """What the form begins with: what was said before, else guesses."""
    usual: dict[str, Any] = {"split": "blank-line", "zero": "", "threshold": 0.5, "control": "", "first": 0}
    if not reading:
        words = {
            word: found
            for word, found in guess(sample.places).items()
            if told == MAPPED or word not in JUDGED
        }
        return usual | {word: found if word == "meta" else found[0] for word, found in words.items()}
    of = parse_map(reading["map"])
    said = [(word, spelled(path)) for word, path in of.places.items()]
    metas = [spelled(path) for path in of.meta]
    unlisted = [f"{word}={place}" for word, place in said if place not in sample.places]
    unlisted += [f"meta={place}" for place in metas if place not in sample.places]
    listed = {word: place for word, place in said if place in sample.places}
    meta = [place for place in metas if place in sample.places]
    return usual | dict(reading) | listed | {"meta": meta, "more": ",".join(unlisted)}


def _example(value: Any) -> str:
    """A value in a few words; of long lists the length and the first."""
    if isinstance(value, list) and value and isinstance(value[0], str | list | dict):
        return f"{len(value)} × {_example(value[0])}"
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(plain.split())
    text = text if len(text) <= MAX_EXAMPLE else text[: MAX_EXAMPLE - 1] + "…"
    return f"“{text}”" if isinstance(value, str) else text
