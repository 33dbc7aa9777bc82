"""What the cards of a release say, gathered from its manifest and from the project as it stands."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum

from annotator import measured, reports
from annotator.actions.release_files import Manifest
from annotator.actions.transfers import Alive
from annotator.core import accuracy
from annotator.core.datasheet_facts import AGREEMENT, PULL, Facts, Measure, kind_titles
from annotator.models import (
    Annotation,
    BlindShows,
    Import,
    Item,
    Phase,
    Problem,
    Project,
    Protocol,
    Rater,
    RaterKind,
    Release,
    Solution,
    Use,
)
from annotator.reports import acceptance, pull

MS_PER_HOUR = 3_600_000
IN_UNITS = ("alpha", "gwet_ac1", "fleiss_kappa")  # which are no shares
SAID_BY_PEOPLE = (Phase.BLIND, Phase.REVEALED)


def facts_of(release: Release, manifest: Manifest, alive: Alive = lambda: None) -> Facts:
    """All facts of a release. Agreement, accuracy and acceptance are the project's, when it is called."""
    project = release.project
    said = reports.current(project).data
    alive()
    measures = {}
    for name, measure in {"accuracy": _accuracy, "acceptance": _acceptance, "pull": _pull}.items():
        measures[name] = measure(project)
        alive()
    first, last = _days(project)
    return Facts(
        manifest=json.loads(manifest.text()),
        title=f"{project.name} {release.name}",
        note=release.note,
        settings=settings_of(project),
        kinds=kind_titles(project.error_types),
        people=len(manifest.reviewers),
        hours=_hours(project),
        first_day=first,
        last_day=last,
        machines=_machines(manifest.machines),
        sources=_sources(project),
        decisions=_decisions(project),
        causes=_causes(project),
        agreement=_agreement(said["people"]) if said["people"]["n_raters"] > 1 else (),
        machine_agreement=[
            _measure(manifest.public(one["rater"]), one["kappa"], is_share=False) for one in said["raters"]
        ],
        **measures,
        taken_down=Problem.objects.filter(project=project, taken_down_at__isnull=False).count(),
    )


def settings_of(project: Project) -> dict[str, str]:
    """The settings that shape labels, in words."""
    shares = {
        "Share of probes": project.probe_rate or None,
        "Pass mark of the exam": project.exam_pass,
        "Acceptance bar": project.acceptance_bar,
    }
    return {
        "Protocol": Protocol(project.protocol).label,
        "Reviewers wanted for each item": str(project.overlap),
        "Reviewers agree on": project.get_decision_rule_display(),
        "A blind reviewer of an injection sees": project.get_blind_shows_display(),
        "Labels before machines are shown": "yes" if project.labels_first else "no",
        "Steps after the first error are judged": "yes" if project.label_after_error else "no",
        **{name: "none" if share is None else f"{100 * share:g} %" for name, share in shares.items()},
    }


def _measure(name: str, found: Mapping[str, Any], *, is_share: bool = True) -> Measure:
    """A statistic of a report, {value, n, why, interval: {low, high}}, as the datasheet has it."""
    ends = found["interval"]
    return Measure(name, found["value"], ends["low"], ends["high"], found["n"], found["why"], is_share)


def _agreement(people: Mapping[str, Any]) -> list[Measure]:
    return [_measure(title, people[name], is_share=name not in IN_UNITS) for name, title in AGREEMENT.items()]


def _accuracy(project: Project) -> list[Measure]:
    """Of all reviewers together, on probes; none where no probe was answered."""
    answered = [case for cases in measured.by_rater(project, Use.PROBE).values() for case in cases]
    if not answered:
        return []
    rule, titles = measured.rule_of(project), kind_titles(project.error_types)
    kinds = accuracy.by_kind(answered, rule)
    return [
        _share("items right", accuracy.items_right(answered, rule)),
        _share("steps right", accuracy.steps_right(answered, rule)),
        *(_share(f"items right: {titles.get(kind, kind) or 'no kind'}", one) for kind, one in kinds.items()),
    ]


def _share(name: str, found: accuracy.Share) -> Measure:
    low, high, why = found.interval
    return Measure(name, found.value, low, high, found.n, why)


def _acceptance(project: Project) -> list[Measure]:
    """Of each kind of which a sample was drawn: the share that is what the claim says."""
    found = acceptance.current(project)["kinds"]
    titles = kind_titles(project.error_types)
    return [
        _measure(titles.get(kind, kind) or "no kind", one["rates"]["as_claimed"])
        for kind, one in found.items()
    ]


def _pull(project: Project) -> list[Measure]:
    """Of each setting in which labels were given before machines were shown."""
    found = [one for one in pull.current(project)["settings"] if one["rates"]]
    return [
        _measure(
            title if len(found) == 1 else f"{title} (shown: {BlindShows(one['blind_shows']).label})",
            one["rates"][name],
        )
        for one in found
        for name, title in PULL.items()
    ]


def _work(project: Project) -> "QuerySet[Annotation]":
    """People's words on work, which an assignment carries; probes and exams are not."""
    return Annotation.objects.filter(
        assignment__project=project,
        assignment__purpose=Use.WORK,
        phase__in=SAID_BY_PEOPLE,
        superseded_at=None,
    )


def _hours(project: Project) -> float | None:
    """Of each assignment the later word's time, which includes that of the blind one."""
    timed = _work(project).filter(duration_ms__isnull=False).values("assignment")
    ms = timed.annotate(ms=Max("duration_ms")).aggregate(total=Sum("ms"))["total"]
    return None if ms is None else ms / MS_PER_HOUR


def _days(project: Project) -> tuple[str, str]:
    found = _work(project).aggregate(first=Min("created_at"), last=Max("created_at"))
    return tuple("" if at is None else at.date().isoformat() for at in found.values())  # type: ignore[return-value]


def _machines(counted: Mapping[str, int]) -> list[dict[str, Any]]:
    """A row for each spec: a changed model or prompt is another rater of the same name. Of whom a release names
    otherwise nothing but the number is known."""
    named = [one.split(":", 1) for one in counted]
    known = Rater.objects.filter(kind__in={k for k, _ in named}, name__in={n for _, n in named})
    rows = [one for one in known.exclude(kind=RaterKind.REVIEWER) if str(one) in counted]
    found = [(str(one), one.digest, one.spec) for one in rows]
    found += [(name, "", {}) for name in counted.keys() - {str(one) for one in rows}]
    found.sort(key=lambda one: one[:2])
    return [
        {"rater": name, "spec": spec, "digest": digest, "solutions": counted[name]}
        for name, digest, spec in found
    ]


def _sources(project: Project) -> list[dict[str, Any]]:
    """The imports that brought solutions, oldest first. A licence is what its options state."""
    held = Solution.objects.filter(project=project).order_by().values_list("source_import")
    counts = dict(held.annotate(n=Count("pk")).values_list("source_import", "n"))
    rows = Import.objects.filter(project=project, pk__in=[pk for pk in counts if pk]).order_by("pk")
    return [
        {
            "format": row.format,
            "files": ", ".join(row.file_names),
            "licence": str(row.options.get("licence") or ""),
            "solutions": counts[row.pk],
        }
        for row in rows
    ]


def _decisions(project: Project) -> dict[str, int]:
    work = Item.objects.filter(project=project, use=Use.WORK, retired=False).order_by()
    return _sorted(work.values_list("decision").annotate(n=Count("pk")))


def _causes(project: Project) -> dict[str, int]:
    settled = Annotation.objects.filter(
        solution__project=project, phase=Phase.ADJUDICATION, superseded_at=None, verdict__cause__isnull=False
    )
    return _sorted(settled.order_by().values_list("verdict__cause").annotate(n=Count("pk")))


def _sorted(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
