"""Projects: make one, change how it reviews."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from annotator import errors, policies
from annotator.actions import error_types as kinds
from annotator.actions.labels_first import bar_who_saw, finish_barring
from annotator.actions.people import join_project
from annotator.actions.record import record
from annotator.actions.redecide import redecide
from annotator.core.digest import digest
from annotator.models import BlindShows, DecisionRule, Project, Role, User
from annotator.policies import Actor, Operator

CHANGEABLE = (
    "name", "protocol", "overlap", "blind_shows", "lease_minutes", "label_after_error", "error_types",
    "decision_rule", "probe_rate", "exam_pass", "acceptance_bar", "labels_first",
)  # fmt: skip
MAX_PROBE_RATE = 0.5
MAX_OVERLAP = 20
MAX_LEASE_MINUTES = 24 * 60


@transaction.atomic
def create_project(
    *,
    by: Operator | User,
    slug: str,
    name: str,
    protocol: str,
    overlap: int,
    blind_shows: str = BlindShows.DIFF,
    lease_minutes: int = 60,
    label_after_error: bool = False,
    error_types: Sequence[dict[str, str]] = (),
    decision_rule: str = DecisionRule.LABELS,
) -> Project:
    """A new project. A superuser who makes one owns it; what a command makes gets its owner by add_member."""
    policies.check_may_create_project(by)
    project = Project(
        slug=slug, name=name, protocol=protocol, overlap=overlap, blind_shows=blind_shows,
        lease_minutes=lease_minutes, label_after_error=label_after_error,
        error_types=kinds.checked(list(error_types)), decision_rule=decision_rule,
    )  # fmt: skip
    _check(project)
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError:  # somebody took the address since we looked
        raise errors.Conflict("Another project has this address.", field="slug") from None
    if isinstance(by, User):
        join_project(project=project, user=by, role=Role.OWNER)
    record(by, "create_project", project, slug=slug, name=name, protocol=protocol, overlap=overlap)
    return project


def change_settings(*, by: Actor, project: Project, base: str | None = None, **fields: Any) -> Project:
    """Change some of CHANGEABLE. Protocol and overlap are for items still to come; others keep theirs.

    `base` is state_of(project) as the sender saw it: Conflict if somebody has changed the settings since.
    Another decision rule decides anew what no lead has settled. Where labels come first again, who saw what
    machines say of an item and has not submitted it gets no slot on it; where
    that broke off, saving the same settings again goes on with it.
    """
    current, changed = _change_settings(by, project, base, fields)
    if "decision_rule" in changed:
        redecide(current)
    if changed.get("labels_first"):
        bar_who_saw(by, current)
    elif fields.get("labels_first"):
        finish_barring(by, current)
    return current


@transaction.atomic
def _change_settings(
    by: Actor, project: Project, base: str | None, fields: dict[str, Any]
) -> tuple[Project, dict[str, Any]]:
    """The project with its changed settings, and what was changed."""
    policies.check_at_least(by, Role.LEAD, project)
    unknown = sorted(set(fields) - set(CHANGEABLE))
    if unknown:
        raise errors.Invalid(f"{unknown[0]}: not a setting of a project.", field=unknown[0])
    current = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if base is not None and base != state_of(current):
        raise errors.Conflict("Somebody else changed the settings meanwhile: load the page again.")
    if "error_types" in fields:
        fields["error_types"] = kinds.checked(fields["error_types"])
        kinds.check_used_stay(current, fields["error_types"])
    changed = {name: value for name, value in fields.items() if value != getattr(current, name)}
    was = {name: getattr(current, name) for name in changed}
    for name, value in changed.items():
        setattr(current, name, value)
    _check(current)
    if changed:
        current.save(update_fields=list(changed))
        record(by, "change_settings", current, changed=changed, was=was)
    return current, changed


def state_of(project: Project) -> str:
    """A digest of all settings: the same as long as nobody changes one."""
    return digest(*(getattr(project, name) for name in CHANGEABLE))


def _check(project: Project) -> None:
    """Raise Invalid, naming the field, for a value that no project may have."""
    for name, most in (("overlap", MAX_OVERLAP), ("lease_minutes", MAX_LEASE_MINUTES)):
        value = getattr(project, name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise errors.Invalid(f"Choose a whole number from 1 to {most}.", field=name)
    if not 0 <= project.probe_rate <= MAX_PROBE_RATE:
        raise errors.Invalid("Choose from 0 % to 50 %.", field="probe_rate")
    if project.exam_pass is not None and not 0 < project.exam_pass <= 1:
        raise errors.Invalid("Choose more than 0 % and at most 100 %, or leave it empty.", field="exam_pass")
    if project.acceptance_bar is not None and not 0 < project.acceptance_bar <= 1:
        raise errors.Invalid(
            "Choose more than 0 % and at most 100 %, or leave it empty.", field="acceptance_bar"
        )
    try:
        project.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise errors.Invalid(messages[0], field=field) from None
