"""The forms of account, project and people pages. Rules live in the actions; forms say them early."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm, UserCreationForm

from annotator import errors
from annotator.actions.account import TOKEN_DAYS
from annotator.actions.guidelines import MAX_TEXT
from annotator.actions.people import MAX_DAYS
from annotator.actions.projects import MAX_LEASE_MINUTES, MAX_OVERLAP
from annotator.core import keys as bindings
from annotator.models import BlindShows, DecisionRule, Membership, Project, Role, User

RULES = "At least 8 characters, none that many people use, and not like your name."
THEMES = [("", "as the system"), ("light", "light"), ("dark", "dark")]


@contextmanager
def refusals_in(form: forms.BaseForm) -> Iterator[None]:
    """What an action refuses about the input is said at the form's field; other refusals go on."""
    try:
        yield
    except (errors.Invalid, errors.Conflict) as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)


class Plain:
    """Labels without a colon; a password's rules in one line."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        for first, second in (("password1", "password2"), ("new_password1", "new_password2")):
            if first in self.fields:
                self.fields[first].help_text = RULES
                self.fields[second].label, self.fields[second].help_text = "The same again", ""


class Folded(forms.Form):
    """A form whose `FURTHER` fields are seldom changed, so that its page folds them."""

    FURTHER: ClassVar[tuple[str, ...]] = ()

    def usual(self) -> list[forms.BoundField]:
        """What one chooses each time."""
        return [field for field in self if field.name not in self.FURTHER]

    def further(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in self.FURTHER]

    def further_is_open(self) -> bool:
        """Where something in it is to be mended."""
        return any(field.errors for field in self.further())


class SignUpForm(Plain, UserCreationForm):  # type: ignore[type-arg]
    """Name and password of a new account; names that differ only in case are taken."""

    class Meta:
        model = User
        fields = ("username",)
        help_texts = {"username": "Letters, digits and @ . + - _; others in the project see it."}


class PreferencesForm(Plain, forms.Form):
    name = forms.CharField(max_length=150, required=False, help_text="How leads may know you; may be empty.")
    theme = forms.ChoiceField(choices=THEMES, required=False)
    large_text = forms.BooleanField(
        required=False, help_text="The review screen in larger letters, wider set."
    )


class NewPasswordForm(Plain, SetPasswordForm):  # type: ignore[type-arg]
    """Django's: the account is known by the link."""


class OwnPasswordForm(Plain, PasswordChangeForm):
    """Django's, without taking the focus of a page with other forms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Present password"
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


class KeysForm(Plain, forms.Form):
    """One field for each action of the review screen, checked for collisions as a whole."""

    def __init__(self, data: Any = None, *, user_keys: dict[str, str]) -> None:
        super().__init__(data)
        chosen = bindings.in_force(user_keys)
        for action, binding in bindings.ACTIONS.items():
            widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "size": 8})
            self.fields[action] = forms.CharField(
                label=binding.title, initial=chosen[action], max_length=10, widget=widget,
                error_messages={"required": f"Choose a key; by default it is {binding.key}"},
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        found = {action: key for action, key in self.cleaned_data.items() if action in bindings.ACTIONS}
        for action, message in bindings.check(found).items():
            if action in found:
                self.add_error(action, message)
        return self.cleaned_data


class TokenForm(Plain, forms.Form):
    days = forms.TypedChoiceField(
        coerce=int, choices=[(days, f"{days} days") for days in TOKEN_DAYS], label="Works for"
    )


LATER = (
    "decision_rule",
    "probe_rate",
    "exam_pass",
    "labels_first",
)  # a form without them changes none of them


LABELS_FIRST = [("True", "after reviewers have labelled"), ("False", "from the beginning")]


class PercentField(forms.FloatField):
    """A share of 1, asked for in hundredths."""

    def prepare_value(self, value: Any) -> Any:
        return f"{100 * value:g}" if isinstance(value, float) else value

    def clean(self, value: Any) -> float | None:
        found = super().clean(value)
        return None if found is None else found / 100


class SettingsForm(Plain, forms.ModelForm):  # type: ignore[type-arg]
    """What leads may change. It is made without an instance: the action reads and writes the row."""

    overlap = forms.IntegerField(
        min_value=1, max_value=MAX_OVERLAP, initial=2, label="Reviewers for each item",
        help_text="For items still to be imported; those that are there keep their number.",
    )  # fmt: skip
    lease_minutes = forms.IntegerField(
        min_value=1, max_value=MAX_LEASE_MINUTES, initial=60, label="A claim is held for (minutes)",
        help_text="After this long without a change an item goes back to the queue; the draft stays.",
    )  # fmt: skip
    blind_shows = forms.ChoiceField(
        choices=BlindShows.choices, initial=BlindShows.DIFF, label="Before committing a reviewer sees",
        help_text="For injected errors. Kept with every annotation: compare rates only within one choice.",
    )  # fmt: skip
    labels_first = forms.TypedChoiceField(
        choices=LABELS_FIRST, initial="True", coerce=lambda value: value == "True", required=False,
        label="What machines said is shown",
        help_text="From the beginning: one judgement, never counted as blind. Changed back, items that reviewers "
        "hold go back to the queue, and not to them: they have seen it.",
    )  # fmt: skip
    decision_rule = forms.ChoiceField(
        choices=DecisionRule.choices, initial=DecisionRule.LABELS, required=False,
        label="Reviewers agree when they say the same of",
        help_text="Another rule decides anew what has been submitted; what a lead has settled stays.",
    )  # fmt: skip
    probe_rate = PercentField(
        min_value=0, max_value=50, initial=0.0, required=False, label="Claims that are probes (%)",
        help_text="Items with gold given unseen, to measure reviewers. Choose them among the items first.",
    )  # fmt: skip
    exam_pass = PercentField(
        min_value=1, max_value=100, required=False, label="An exam is passed with (%) right",
        help_text="Empty: no exam. Reviewers who have not passed get no work. Choose its items among the items.",
    )  # fmt: skip

    class Meta:
        model = Project
        fields = (
            "name", "protocol", "overlap", "decision_rule", "blind_shows", "lease_minutes", "label_after_error",
        )  # fmt: skip
        labels = {
            "protocol": "Reviewers are asked to",
            "label_after_error": "Judge also what follows the first wrong step",
        }
        help_texts = {
            "name": "Shown at the top of every page.",
            "protocol": "For items still to be imported, unless the import says otherwise.",
            "label_after_error": "When labelling steps. Else a review may stop at the first wrong step.",
        }

    def clean(self) -> dict[str, Any]:
        """What was not sent stays as it is."""
        found = super().clean() or self.cleaned_data
        if "probe_rate" in found:
            found["probe_rate"] = found["probe_rate"] or 0.0
        left = {name for name in LATER if name not in self.data or found.get(name) == ""}
        return {name: value for name, value in found.items() if name not in left}


class NewProjectForm(SettingsForm):
    probe_rate = None  # type: ignore[assignment]  # both need items
    exam_pass = None  # type: ignore[assignment]
    labels_first = None  # type: ignore[assignment]

    class Meta(SettingsForm.Meta):
        fields = ("name", "slug", *SettingsForm.Meta.fields[1:])  # type: ignore[assignment]
        labels = {**SettingsForm.Meta.labels, "slug": "Address"}
        help_texts = {
            **SettingsForm.Meta.help_texts,
            "slug": "Letters, digits and hyphens, as in /p/my-project/. It cannot be changed later.",
        }


class InviteForm(Plain, forms.Form):
    role = forms.ChoiceField(choices=Role.choices, initial=Role.REVIEWER)
    note = forms.CharField(max_length=120, required=False, label="For whom", help_text="Only leads see this.")
    days = forms.IntegerField(min_value=1, max_value=MAX_DAYS, initial=14, label="Works for (days)")

    def __init__(self, data: Any = None, *, by: Membership) -> None:
        """Leads see only the role they may give."""
        super().__init__(data)
        if not by.is_at_least(Role.OWNER):
            self.fields["role"] = forms.ChoiceField(choices=[(Role.REVIEWER, Role.REVIEWER.label)])


class GuidelineForm(Plain, forms.Form):
    text = forms.CharField(
        label="Guidelines", max_length=MAX_TEXT, strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true"}),
        help_text="Markdown: # heading, - list, **bold**, > quotation, | table |. HTML is shown as text.",
    )  # fmt: skip
    base = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
