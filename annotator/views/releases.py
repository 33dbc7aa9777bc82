"""Releases, for leads: count what a rule would release, make it, watch, fetch, compare."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import release_compare, release_fetch
from annotator.actions import releases as acts
from annotator.actions.release_files import MANIFEST, Counts, plain_counts
from annotator.caching import self_tuned
from annotator.core.digest import digest
from annotator.core.findings import CODES
from annotator.core.release_rule import BadRule, read
from annotator.forms import refusals_in
from annotator.middleware import PageRequest
from annotator.models import Event, Project, Release, TransferState
from annotator.views import paging, words
from annotator.views.files import download
from annotator.views.imports import LOOKS
from annotator.views.release_forms import ReleaseForm, as_initial

STEPS = {"resume": acts.resume_release, "discard": acts.discard_release}
LABEL_WORDS = {"+": "right", "0": "neutral", "-": "wrong", "?": "unsure", ".": "not judged"}


class Bar(NamedTuple):
    """A row of a chart: how many go out and stay in, and how wide that is of 100."""

    title: str
    n_out: int
    n_in: int
    width_out: float
    width_in: float


def releases(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    asked = request.POST if request.method == "POST" else request.GET
    is_asked = request.method == "POST" or "which" in request.GET
    form = ReleaseForm(asked if is_asked else None, project=me.project, initial=_last(me.project))
    counts = None
    if is_asked and form.is_valid():
        with refusals_in(form):
            if request.method == "POST":
                named = {name: form.cleaned_data[name] for name in ("name", "note")}
                row = acts.start_release(by=me, project=me.project, rule=form.rule(), **named)
                return redirect("release", project, row.pk)
            counts = _counted(request, form)
    page = paging.page(request, Release.objects.filter(project=me.project), newest_first=True)
    context = {
        "form": form,
        "project": me.project,
        "page": page,
        "rows": [(row, LOOKS.get(row.state, "mid")) for row in page.rows],
        "counts": counts,
        "shown": _shown(plain_counts(counts)) if counts else None,
        "is_open": any(name in form.errors for name in SELDOM),
    }
    return render(request, "annotator/releases.html", context, status=400 if form.errors else 200)


def _counted(request: PageRequest, form: ReleaseForm) -> Counts:
    """What the form's rule would release; kept while nothing happens in the project."""
    me, rule = request.membership, form.rule()
    newest = Event.objects.filter(project=me.project).order_by("-id").values_list("id", flat=True).first()
    key = f"release-count:{me.project.pk}:{me.project.acceptance_bar}:{digest(form.checked.as_json())}"
    return self_tuned(key, lambda: acts.count(by=me, project=me.project, rule=rule), stamp=newest)


SELDOM = ("protocols", "raters", "drop_findings", "neutral", "redundant", "after_first_error", "seed")


def _last(project: Project) -> dict[str, Any]:
    """The rule of the last release, to begin with; one that can be no more is not."""
    row = Release.objects.filter(project=project).order_by("-id").first()
    if row is None:
        return {}
    try:
        return as_initial(read(row.rule, acts.known(project)))
    except BadRule:
        return {}


def _shown(counts: dict[str, Any]) -> dict[str, Any]:
    """Counts as the page draws them."""
    kinds = {**counts["kinds"], **counts["kinds_left_out"]}
    most = max((counts["kinds"].get(k, 0) + counts["kinds_left_out"].get(k, 0) for k in kinds), default=1)
    return {
        "kinds": [_bar(kind, counts, most) for kind in sorted(kinds, key=lambda kind: (not kind, kind))],
        "splits": counts["splits"],
        "labels": [(LABEL_WORDS[label], counts["labels"].get(label, 0)) for label in LABEL_WORDS],
        "left_out": sorted(counts["left_out"].items(), key=lambda pair: (-pair[1]["n"], pair[0])),
        "findings": [(code, CODES[code].title, n) for code, n in counts["findings"].items() if code in CODES],
        "under_bar": [words.kind_title(kind) for kind in counts["under_bar"]],
        "n_left_out": sum(seen["n"] for seen in counts["left_out"].values()),
    }


def _bar(kind: str, counts: dict[str, Any], most: int) -> Bar:
    n_out, n_in = counts["kinds"].get(kind, 0), counts["kinds_left_out"].get(kind, 0)
    title = words.kind_title(kind) if kind else "no error type"
    return Bar(title, n_out, n_in, round(100 * n_out / most, 2), round(100 * n_in / most, 2))


def release_page(request: PageRequest, project: str, transfer: int) -> HttpResponse:
    row = _find(request, transfer)
    if request.method == "POST":
        return _act(request, row)
    resumable = acts.can_resume(row)
    others = (
        Release.objects.filter(project=row.project, state=TransferState.COMPLETE)
        .exclude(pk=row.pk)
        .order_by("-id")
    )
    context = {
        "row": row,
        "project": row.project,
        "look": LOOKS.get(row.state, "mid"),
        "can_resume": resumable,
        "is_polled": row.is_running and not resumable,
        "shown": _shown(row.report["counts"]) if row.report else None,
        "manifest": MANIFEST,
        "others": others[:50] if row.report else [],
        "rule": _rule(row.report["rule"] if row.report else row.rule),
    }
    return render(request, "annotator/release.html", context)


def _rule(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """The members of a rule that say something, in words."""
    return [(name, said) for name, value in rule.items() if (said := _said(value)) not in ("–", "no", "0")]


def _said(value: Any) -> str:
    """A member of a rule in words; "–" for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        value = [f"{name} {_said(one)}" for name, one in value.items()]
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return f"{value:g}" if isinstance(value, float) else "–" if value is None else str(value)


def _act(request: PageRequest, row: Release) -> HttpResponse:
    do = request.POST.get("do", "")
    if do not in STEPS:
        raise errors.Invalid("Choose what to do with this release.")
    try:
        STEPS[do](by=request.membership, row=row)
    except errors.Conflict as error:
        messages.error(request, error.message)
        return redirect("release", row.project.slug, row.pk)
    return redirect("releases", row.project.slug) if do == "discard" else redirect(request.path)


def release_file(request: PageRequest, project: str, transfer: int, file: str) -> FileResponse:
    row = _find(request, transfer)
    return download(release_fetch.file_of(row, file), f"{project}-{row.name}-{file.replace('/', '-')}")


def release_tar(request: PageRequest, project: str, transfer: int) -> StreamingHttpResponse:
    row = _find(request, transfer)
    release_fetch.file_of(row, MANIFEST)  # refused before anything is sent
    named = {"Content-Disposition": f'attachment; filename="{project}-{row.name}.tar"'}
    return StreamingHttpResponse(release_fetch.tar_of(row), content_type="application/x-tar", headers=named)


def release_diff(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    a, b = request.GET.get("a", ""), request.GET.get("b", "")
    found, error = None, ""
    if a or b:
        try:
            found = release_compare.diff(by=me, project=me.project, a=a, b=b)
        except errors.Invalid as refused:
            error = refused.message
    complete = Release.objects.filter(project=me.project, state=TransferState.COMPLETE).order_by("-id")
    context = {
        "project": me.project, "found": found, "error": error, "a": a, "b": b,
        "names": complete.values_list("name", flat=True)[:200], "shown": _diff_shown(found) if found else None,
    }  # fmt: skip
    return render(request, "annotator/release_diff.html", context, status=400 if error else 200)


def _diff_shown(found: dict[str, Any]) -> dict[str, Any]:
    """A diff as the page draws it: steps by position, label changes in words, kinds side by side."""
    positions = [(int(at) + 1, n) for at, n in found["positions"].items()]
    most = max((n for _, n in positions), default=1)
    names = [f"{side}_kinds" for side in ("added", "removed", "relabelled")]
    kinds = sorted({kind for name in names for kind in found[name]})
    changes = [(change.split(" "), n) for change, n in found["changes"].items()]
    return {
        "rule": [(name, _said(a), _said(b)) for name, (a, b) in found["rule"].items()],
        "positions": [(at, n, round(100 * n / most, 2)) for at, n in positions],
        "changes": [(LABEL_WORDS[was], LABEL_WORDS[now], n) for (was, now), n in changes],
        "kinds": [
            (
                words.kind_title(kind) if kind else "no error type",
                *(found[name].get(kind, 0) for name in names),
            )
            for kind in kinds
        ],
    }


def _find(request: PageRequest, transfer: int) -> Release:
    rows = Release.objects.select_related("project", "created_by")
    found = rows.filter(project=request.membership.project, pk=transfer).first()
    if found is None:
        raise errors.Missing("There is no such release in this project.")
    return found
