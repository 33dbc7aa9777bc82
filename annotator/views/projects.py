"""Making a project and changing its settings."""

from collections.abc import Callable

from django.contrib import messages
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import projects as acts
from annotator.actions.error_types import TAKEN, BadKind
from annotator.core import kinds
from annotator.core.labels import ERROR_TYPES
from annotator.forms import NewProjectForm, SettingsForm, refusals_in
from annotator.middleware import PageRequest
from annotator.views import kind_rows
from annotator.views.kind_rows import KindRow
from annotator.views.project_page import project_page

__all__ = ["new_project", "project_page", "settings_page"]


def new_project(request: PageRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            project = acts.create_project(by=request.user, **form.cleaned_data)
            messages.success(request, "The project is there. Next: write guidelines, import, invite people.")
            return redirect("project", project.slug)
    return render(request, "annotator/new_project.html", {"form": form})


def settings_page(request: PageRequest, project: str) -> HttpResponse:
    current = request.membership.project
    if request.method != "POST":
        initial = model_to_dict(current, list(SettingsForm.base_fields))
        rows = kind_rows.of_project(current) if current.error_types else []
        return _settings(request, SettingsForm(initial=initial), rows, acts.state_of(current))
    do, rows = request.POST.get("do", "save"), _rows(request)
    if do == "save":
        return _save(request, rows)
    error = ""
    try:
        rows = ROWS[do](request, rows)
    except KeyError:
        raise errors.Invalid("Save the settings, or change the rows.", field="do") from None
    except kinds.BadKinds as bad:
        error = f"{bad}."
    form = SettingsForm(initial=request.POST.dict())
    return _settings(request, form, rows, request.POST.get("base", ""), error)


def _save(request: PageRequest, rows: list[KindRow]) -> HttpResponse:
    current, form, base = request.membership.project, SettingsForm(request.POST), request.POST.get("base", "")
    own = [row.as_kind() for row in kind_rows.filled(rows)]
    error = ""
    if form.is_valid():
        try:
            acts.change_settings(
                by=request.membership,
                project=current,
                base=base or None,
                error_types=own,
                **form.cleaned_data,
            )
            messages.success(request, "The settings are saved.")
            return redirect("settings", current.slug)
        except (errors.Invalid, errors.Conflict) as refused:
            error = _place(refused, form, rows)
    return _settings(request, form, rows, base, error)


def _place(refused: errors.PlumblineError, form: SettingsForm, rows: list[KindRow]) -> str:
    """Say a refusal where it belongs; returned where that is the list of error types or the page."""
    if refused.field in form.fields:
        form.add_error(refused.field, refused.message)
        return ""
    if isinstance(refused, BadKind) and kind_rows.blame(rows, refused):
        return "Nothing is saved yet: an error type below needs another look."
    return refused.message


def _rows(request: PageRequest) -> list[KindRow]:
    return kind_rows.typed(request.POST) if "kind-code" in request.POST else []


# What the buttons beside the rows do to them; nothing is saved by that.
ROWS: dict[str, Callable[[PageRequest, list[KindRow]], list[KindRow]]] = {
    "own": lambda request, rows: rows or kind_rows.from_kinds(kinds.PRMBENCH),
    "prmbench": lambda request, rows: [],
    "row": lambda request, rows: [*rows, KindRow()],
    "paste": lambda request, rows: kind_rows.pasted(request.POST.get("paste", "")),
}


def _settings(
    request: PageRequest, form: SettingsForm, rows: list[KindRow], base: str, error: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "rows": rows,
        "base": base,
        "error": error,
        "paste": request.POST.get("paste", "") if error else "",
        "prmbench": ERROR_TYPES,
        "most": kinds.MOST,
        "is_full": len(rows) >= kinds.MOST,
        "taken": list(TAKEN.items()),
    }
    return render(request, "annotator/settings.html", context)
