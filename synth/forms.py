"""The start form of a method, made from its settings."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from django import forms
from pydantic.fields import FieldInfo

from annotator import errors
from annotator.core.labels import ERROR_TYPES
from annotator.forms import Folded, Plain
from annotator.models import Annotation, Phase, Project, Rater, RaterKind
from synth import endpoints
from synth.machines.consensus import QUEUES
from synth.machines.machine import MAX_LIMIT, Machine
from synth.machines.subjects import WHICH

TITLES = {kind.code: kind.title for kind in ERROR_TYPES}

RATERS = ("judge", "rollouts")


class StartForm(Folded, Plain, forms.Form):
    """`given()` is what actions.start takes; its refusals come back as errors of the fields. asked: what an address
    names of `more`, to begin with."""

    FURTHER = ("temperature", "top_p", "max_tokens", "seed", "name")

    def __init__(
        self, machine: Machine, project: Project, data: Any = None, asked: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data, initial={name: v for name, v in (asked or {}).items() if name in RATERS})
        self.machine = machine
        if machine.needs_endpoint:
            self.fields["endpoint"] = _endpoint_field()
        if machine.choices:
            self.fields["which"] = _which_field(machine.choices)
        for name in machine.more:
            self.fields[name] = _field_of(name, machine, project)
        for name, field in (machine.how.model_fields if machine.how else {}).items():
            self.fields[name] = _setting_field(field)
        self.fields["limit"] = forms.IntegerField(
            required=False, min_value=1, max_value=MAX_LIMIT, label="At most",
            help_text="So many units, the first of them. Empty: all there are.",
        )  # fmt: skip
        if machine.rater_kind:
            self.fields["name"] = _name_field("its model" if machine.needs_endpoint else "its method")
        if machine.needs_endpoint:
            self.fields["budget"] = forms.FloatField(
                required=False, min_value=0.0001, label="It may cost",
                help_text="In the endpoint's currency. It pauses there. Empty: no limit.",
            )  # fmt: skip

    def given(self) -> dict[str, Any]:
        said = {name: value for name, value in self.cleaned_data.items() if name != "budget"}
        return {name: value for name, value in said.items() if value not in ("", [])}

    def refuse(self, refusal: errors.Invalid) -> None:
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.message)


def _which_field(choices: Sequence[str]) -> forms.Field:
    named = [(name, WHICH[name]) for name in choices]
    return forms.ChoiceField(choices=named, initial=choices[0], widget=forms.RadioSelect, label="Work on")


def _name_field(usual: str) -> forms.Field:
    return forms.CharField(
        required=False, max_length=150, label="Call the rater", help_text=f"Empty: as {usual}."
    )


def _endpoint_field() -> forms.Field:
    known = endpoints.load().values()
    choices = [(one.name, f"{one.name}: {one.model}") for one in known]
    return forms.ChoiceField(
        choices=choices, label="Endpoint", help_text="Declared by the operator of this server."
    )


def _setting_field(field: FieldInfo) -> forms.Field:
    """A pydantic field as a form's: same bounds, same default; empty where it may be left out."""
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    about: dict[str, Any] = {
        "label": field.title, "help_text": field.description or "", "initial": field.default, "required": False,
    }  # fmt: skip
    if get_origin(field.annotation) is Literal:
        return forms.ChoiceField(choices=[(one, one) for one in get_args(field.annotation)], **about)
    if field.annotation is bool:
        return forms.BooleanField(**about)
    bounds = {
        name: getattr(one, side)
        for one in field.metadata
        for kind, side, name in ((Ge, "ge", "min_value"), (Le, "le", "max_value"))
        if isinstance(one, kind)
    }
    if float in kinds:
        return forms.FloatField(**about, **bounds)
    return forms.IntegerField(**about, **bounds) if int in kinds else forms.CharField(**about)


def _field_of(name: str, machine: Machine, project: Project) -> forms.Field:
    """The further parameters that some methods have (machines/*.py, `more`)."""
    if name == "kinds":
        allowed = machine.more["kinds"](None)
        return forms.MultipleChoiceField(
            choices=[(kind, TITLES[kind]) for kind in allowed], initial=allowed, label="Kinds of error",
            widget=forms.CheckboxSelectMultiple,
        )  # fmt: skip
    if name == "queue":
        return forms.ChoiceField(choices=list(QUEUES.items()), initial="all", label="Send to review")
    if name in RATERS:
        kinds = (RaterKind.JUDGE, RaterKind.CRITIC) if name == "judge" else (RaterKind.ROLLOUTS,)
        raters = _raters(project, kinds)
        nobody = f"No {name} has judged anything here yet: run {'one' if name == 'judge' else 'them'} first."
        return forms.ChoiceField(choices=raters, label=name.capitalize(), help_text="" if raters else nobody)
    return forms.IntegerField(required=False, min_value=0, initial=0, label=name.capitalize())


def _raters(project: Project, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Those that have judged something here, the newest first; two of a name are told apart by their digest."""
    said = Annotation.objects.filter(
        solution__project=project, phase=Phase.MACHINE, rater__kind__in=kinds, superseded_at__isnull=True
    )
    rows = Rater.objects.filter(pk__in=said.values("rater")).order_by("-pk")
    return [(str(row.pk), f"{row} {row.digest[:7]}".strip()) for row in rows]
