"""What the consensus page is asked for: two machines, a threshold, a slice, a part of the table."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict

from annotator import errors
from annotator.models import Rater, RaterKind
from annotator.reports.loading import names
from synth import comparing
from synth.comparing import CELLS, FURTHEST, SOURCE

JUDGES, ROLLOUTS = (RaterKind.JUDGE, RaterKind.CRITIC), (RaterKind.ROLLOUTS,)
KIND_WORDS = {
    RaterKind.JUDGE: "the judge", RaterKind.CRITIC: "the critic", RaterKind.ROLLOUTS: "the rollouts",
    RaterKind.PRM: "the PRM", RaterKind.SOURCE: "the source", RaterKind.INJECTOR: "the injector",
    RaterKind.CONSENSUS: "the consensus",
}  # fmt: skip


def raters_form(known: list[Rater], data: Mapping[str, Any]) -> forms.Form:
    """Which two, and at which threshold."""
    form = forms.Form(data, auto_id="asked-%s", label_suffix="")
    named = names({rater.pk for rater in known})
    choices = [(str(rater.pk), named[rater.pk]) for rater in known]
    form.fields["a"] = forms.ChoiceField(choices=choices, label="Judge")
    form.fields["b"] = forms.ChoiceField(choices=choices, label="beside")
    form.fields["threshold"] = forms.FloatField(
        required=False, min_value=0.001, max_value=1, label="Rollouts at threshold",
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text="A step is right from this share on. Empty: where any draw was right.",
    )  # fmt: skip
    return form


class Asked(NamedTuple):
    """What the address asks for; `query()` spells it, or another one like it."""

    a: Rater
    b: Rater
    threshold: float | None
    by: str
    cell: str
    offset: int | None
    value: str | None

    def query(self, **changes: Any) -> str:
        """Without `cell`, `offset` and `value`, unless they are among the changes."""
        said = {"a": self.a.pk, "b": self.b.pk, "threshold": self.threshold, "by": self.by, **changes}
        return urlencode({name: value for name, value in said.items() if value is not None})

    @property
    def titles(self) -> tuple[str, str]:
        """What the two are called in a table: by their kinds where these differ."""
        if self.a.kind != self.b.kind:
            return KIND_WORDS[RaterKind(self.a.kind)], KIND_WORDS[RaterKind(self.b.kind)]
        named = names({self.a.pk, self.b.pk})
        return named[self.a.pk], named[self.b.pk]

    @property
    def no_threshold(self) -> str:
        """Why the two have no other threshold."""
        why = [comparing.no_threshold(one) for one in (self.a, self.b) if one.kind in ROLLOUTS]
        return next(filter(None, why), "") if why else comparing.no_threshold(self.a)

    @property
    def start_query(self) -> str:
        """Of the start form of a consensus run; "" where that takes no such two."""
        if self.a.kind in JUDGES and self.b.kind in ROLLOUTS:
            return urlencode({"judge": self.a.pk, "rollouts": self.b.pk})
        return ""


def usual(known: list[Rater], given: QueryDict) -> dict[str, str]:
    """The newest of each side, where the address names none."""
    kinds = {"a": JUDGES, "b": ROLLOUTS}
    found = {side: str(next((r.pk for r in known if r.kind in some), "")) for side, some in kinds.items()}
    return {side: pk for side, pk in found.items() if not given.get(side)}


def asked_of(request: HttpRequest, known: list[Rater], said: Mapping[str, Any]) -> Asked:
    by_pk = {str(rater.pk): rater for rater in known}
    cell, by = request.GET.get("cell") or "all", request.GET.get("by") or SOURCE
    if cell not in CELLS:
        raise errors.Invalid("There is no such part of the table.", field="cell")
    return Asked(
        by_pk[said["a"]], by_pk[said["b"]], said["threshold"], by, cell, _offset(request.GET.get("offset")),
        request.GET.get("value"),
    )  # fmt: skip


def _offset(spelled: str | None) -> int | None:
    if not spelled:
        return None
    known = {str(n): n for n in range(-FURTHEST, FURTHEST + 1)}
    if spelled not in known:
        raise errors.Invalid(f"Name a number from {-FURTHEST} to {FURTHEST}.", field="offset")
    return known[spelled]
