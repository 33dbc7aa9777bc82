"""The form of a release: its rule in fields. What a rule may be is core.release_rule's question."""

from typing import Any

from django import forms
from django.http import QueryDict

from annotator import errors
from annotator.actions import releases
from annotator.core import release_rule
from annotator.core.findings import CODES
from annotator.core.release_rule import Rule
from annotator.forms import Plain
from annotator.models import Annotation, Project, Protocol, RaterKind
from annotator.views import words
from annotator.views.export_forms import USUAL, WRITE_CHOICES

WHICH = [
    ("gold", "gold: what reviewers agreed on, or a lead settled"),
    ("verified", "verified: gold of which people have acted on every step"),
    ("all", "all: gold, and where there is none the labels that came with the solution"),
]
MOST_SHARES = 300  # characters
RULE_FIELDS = (
    "which", "kinds", "protocols", "raters", "min_raters", "formats", "splits", "seed", "include_retired",
    "drop_findings", "parquet",
)  # fmt: skip
OPTIONS = release_rule.OPTIONS


class ReleaseForm(Plain, forms.Form):
    """Bound, it holds a rule; `rule()` is that rule as JSON. Names of raters are only known to the project."""

    which = forms.ChoiceField(label="Whose labels", initial="gold", widget=forms.RadioSelect)
    kinds = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Error types", help_text="None: all."
    )
    formats = forms.MultipleChoiceField(
        choices=WRITE_CHOICES, required=False, widget=forms.CheckboxSelectMultiple, label="Also as",
        help_text="Beside Plumbline's own records.",
    )  # fmt: skip
    splits = forms.CharField(
        required=False, max_length=MOST_SHARES,
        help_text="Such as train 0.8, test 0.2; empty: one part. A problem and its versions stay in one part.",
    )  # fmt: skip
    seed = forms.IntegerField(
        required=False, initial=0, help_text="Deals problems to the parts; the same seed, the same parts."
    )
    min_raters = forms.IntegerField(
        required=False, min_value=0, initial=0, label="Reviewers at least",
        help_text="0: as many as decided it.",
    )  # fmt: skip
    parquet = forms.BooleanField(required=False, initial=True, label="Records as Parquet too")
    include_retired = forms.BooleanField(required=False, label="Retired items too")
    protocols = forms.MultipleChoiceField(
        choices=Protocol.choices, required=False, widget=forms.CheckboxSelectMultiple,
        label="Only items of these protocols", help_text="None: all.",
    )  # fmt: skip
    raters = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Only these raters beside the labels",
        help_text="None: everybody. People go out without their names.",
    )  # fmt: skip
    drop_findings = forms.MultipleChoiceField(
        choices=[(code, found.title) for code, found in CODES.items()], required=False,
        widget=forms.CheckboxSelectMultiple, label="Leave out solutions with these findings",
    )  # fmt: skip
    neutral = forms.ChoiceField(
        choices=[USUAL, ("right", "right"), ("wrong", "wrong"), ("drop", "no label"), ("keep", "neutral")],
        required=False, label="In foreign formats neutral steps are",
    )  # fmt: skip
    redundant = forms.ChoiceField(
        choices=[USUAL, ("wrong", "wrong"), ("neutral", "neutral"), ("right", "right"), ("keep", "as labelled")],
        required=False, label="In foreign formats steps that are only redundant are",
    )  # fmt: skip
    after_first_error = forms.ChoiceField(
        choices=[USUAL, ("drop", "left out"), ("keep", "kept")],
        required=False, label="In foreign formats labels after the first wrong step are",
    )  # fmt: skip
    name = forms.CharField(
        required=False,
        max_length=40,
        help_text="As it is cited; used once, for ever. Empty: the next free number.",
    )
    note = forms.CharField(
        required=False, max_length=releases.MOST_NOTE, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For its readers: what is new, what to mind.",
    )  # fmt: skip

    checked: Rule  # once it is valid

    def __init__(self, data: QueryDict | None = None, *, project: Project, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._project = project
        raters = raters_of(project)
        named = [(rater, f"{rater}: what this rater said") for rater in raters]
        self._offer("which", [*WHICH, *named])
        self._offer("raters", [(rater, rater) for rater in raters])
        kinds = sorted(releases.known(project).kinds)
        self._offer("kinds", [(kind, words.kind_title(kind)) for kind in kinds])
        self.fields["name"].widget.attrs["placeholder"] = releases.next_name(project)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """What the rule refuses is said at its field."""
        if not self.errors:
            try:
                self.checked = releases.check_rule(self._project, self.rule())
            except errors.Invalid as error:
                self.add_error(self._field(error.field), error.message)
        return self.cleaned_data

    def rule(self) -> dict[str, Any]:
        """The rule as JSON, once the fields are clean by themselves. Raises Invalid for shares that are none."""
        found = {name: self.cleaned_data[name] for name in RULE_FIELDS}
        chosen = {name: self.cleaned_data[name] for name in OPTIONS if self.cleaned_data[name]}
        return found | {"splits": shares(found["splits"]), "options": chosen}

    def _field(self, name: str) -> str | None:
        return "neutral" if name == "options" else name if name in self.fields else None


def raters_of(project: Project) -> list[str]:
    """KIND:NAME of everybody who has labelled in the project, people first."""
    labelled = Annotation.objects.filter(solution__project=project, superseded_at=None).order_by()
    found = labelled.values_list("rater__kind", "rater__name").distinct()
    names = sorted(found, key=lambda pair: (pair[0] != RaterKind.REVIEWER, pair))
    return [f"{kind}:{name}" for kind, name in names]


def shares(text: str) -> dict[str, float]:
    """ "train 0.8, test 0.2" as a mapping; percent signs are read too. Raises Invalid naming the part."""
    found: dict[str, float] = {}
    for part in text.replace("=", " ").replace(":", " ").split(","):
        cells = part.split()
        if not cells:
            continue
        try:
            name, number = cells
            share = float(number.rstrip("%")) / (100 if number.endswith("%") else 1)
        except ValueError as error:
            message = f"Write each part as a name and a share, such as train 0.8, not “{part.strip()}”."
            raise errors.Invalid(message, field="splits") from error
        if name in found:
            raise errors.Invalid(f"There are two parts named {name}.", field="splits")
        found[name] = share
    return found


def as_initial(rule: Rule) -> dict[str, Any]:
    """A rule as the fields of the form, to begin the next one with."""
    plain = rule.as_json()
    splits = ", ".join(f"{name} {share:g}" for name, share in rule.splits.items())
    return {name: plain[name] for name in RULE_FIELDS} | {"splits": splits, **plain["options"]}
