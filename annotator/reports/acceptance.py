"""How good each kind of a project is, by the samples of it that people have judged (core.acceptance)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from django.db.models import Count, F, QuerySet

from annotator.caching import self_tuned
from annotator.core import acceptance
from annotator.core.acceptance import Drawn, Word
from annotator.core.align import Op
from annotator.core.spreadsheet import harmless
from annotator.models import (
    Annotation,
    AssignmentState,
    Decision,
    Event,
    Injection,
    Item,
    Phase,
    Project,
    Sample,
    Use,
)  # fmt: skip

ALWAYS_FRESH_S: Final = 0.2
MOST_LINKED: Final = 50  # items named of each kind that are not as claimed
CHUNK: Final = 2_000
EQUAL: Final = Op.EQUAL[0]  # as alignments are stored
COLUMNS: Final = (
    "kind", "n_of", "n_drawn", "n_decided", "n_no_judgement", "n_conflicted", "n_open", "n_held", "under_bar",
    "rate", "value", "low", "high", "n", "why",
)  # fmt: skip


class _Row(NamedTuple):
    """A drawn item as read."""

    item: int
    kind: str
    decision: str
    held: bool
    solution: int
    gold: str | None
    gold_phase: str | None
    gold_types: dict[str, list[str]] | None


def population(project: Project) -> QuerySet[Item]:
    """What is drawn from: all work that is not retired, held or not, decided or not."""
    return Item.objects.filter(project=project, use=Use.WORK, retired=False)


def kinds_under_bar(project: Project) -> list[str]:
    """Error types whose share "as claimed" in all samples together is under the project's bar, by name.

    The share itself decides, whatever its interval; a kind of which nothing is decided is not under it.
    """
    if project.acceptance_bar is None:
        return []
    return [kind for kind, found in read(project)["kinds"].items() if found["under_bar"]]


def current(project: Project, sample: Sample | None = None) -> dict[str, Any]:
    """`read`, kept while nothing happens in the project."""
    newest = Event.objects.filter(project=project).order_by("-id").values_list("id", flat=True).first()
    return self_tuned(
        f"acceptance:{project.pk}:{sample.pk if sample else ''}:{project.acceptance_bar}",
        lambda: read(project, sample), stamp=newest, always_fresh_s=ALWAYS_FRESH_S,
    )  # fmt: skip


def read(project: Project, sample: Sample | None = None) -> dict[str, Any]:
    """The report as JSON values, over one sample or all of them; `manage.py acceptance --help` has its shape."""
    rows = _rows(project, sample)
    drawn = _drawn(rows)
    of = Counter(dict(population(project).order_by().values_list("error_type").annotate(n=Count("pk"))))
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.kind].append(place)
    bar = project.acceptance_bar
    everything = _part(rows, drawn, sum(of[kind] for kind in places), None)
    return {
        "project": project.slug,
        "bar": bar,
        "sample": sample.pk if sample else None,
        "samples": [_sample(one) for one in Sample.objects.filter(project=project).select_related("created_by")],
        **everything,
        "kinds": {
            kind: _part([rows[at] for at in here], [drawn[at] for at in here], of[kind], bar if kind else None)
            for kind, here in sorted(places.items())
        },
    }  # fmt: skip


def _sample(one: Sample) -> dict[str, Any]:
    return {
        "id": one.pk, "share": one.share, "per": one.per, "seed": one.seed, "counts": one.counts,
        "by": one.created_by.get_username() if one.created_by else None, "at": one.created_at.isoformat(),
    }  # fmt: skip


def _part(rows: list[_Row], drawn: list[Drawn], of: int, bar: float | None) -> dict[str, Any]:
    decisions = Counter(row.decision for row in rows)
    rates = acceptance.rates(drawn)
    fails = [row.item for row, one in zip(rows, drawn, strict=True) if acceptance.is_as_claimed(one) is False]
    n_decided = decisions[Decision.AGREED] + decisions[Decision.SETTLED]
    return {
        "n_of": of,
        "n_drawn": len(rows),
        "n_decided": n_decided,
        "n_conflicted": decisions[Decision.CONFLICTED],
        "n_open": decisions[Decision.INCOMPLETE],
        "n_held": sum(row.held and row.decision == Decision.INCOMPLETE for row in rows),
        "n_no_judgement": n_decided - sum(bool(one.labels) for one in drawn),
        "rates": {
            name: rate._asdict() | {"interval": rate.interval._asdict()} for name, rate in rates.items()
        },
        "under_bar": acceptance.is_under(rates["as_claimed"], bar),
        "not_as_claimed": fails[:MOST_LINKED],
        "n_not_as_claimed": len(fails),
    }


def _rows(project: Project, sample: Sample | None) -> list[_Row]:
    items = population(project).filter(sample__isnull=False)
    if sample:
        items = items.filter(sample=sample)
    found = items.order_by("pk").values_list(
        "pk", "error_type", "decision", "held", "solution", "gold__labels", "gold__phase", "gold__error_types"
    )
    return [_Row(*row) for row in found.iterator(CHUNK)]


def _drawn(rows: list[_Row]) -> list[Drawn]:
    decided = [row.item for row in rows if row.decision in (Decision.AGREED, Decision.SETTLED)]
    words, differs = _words(decided), _differs([row.solution for row in rows])
    return [
        Drawn(row.kind, row.gold or "", _settled_types(row), differs.get(row.solution), words[row.item])
        for row in rows
    ]


def _settled_types(row: _Row) -> set[str] | None:
    """The error types that a lead settled on."""
    return _types(row.gold_types) if row.gold_phase == Phase.ADJUDICATION else None


def _types(found: dict[str, list[str]] | None) -> set[str]:
    return {code for codes in (found or {}).values() for code in codes}


def _words(item_ids: list[int]) -> defaultdict[int, list[Word]]:
    """Item -> what each reviewer finally said of its claim and its original."""
    last: dict[tuple[int, int], Word] = {}
    for ids in _chunks(item_ids):
        rows = Annotation.objects.filter(
            solution=F("assignment__item__solution"), assignment__item__in=ids, assignment__surplus=False,
            assignment__state=AssignmentState.SUBMITTED, assignment__purpose=Use.WORK,
            superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
        )  # fmt: skip
        said = rows.order_by("phase", "pk").values_list("assignment__item", "rater", "verdict", "error_types")
        for item, rater, verdict, types in said:  # "blind" before "revealed": the later stands
            verdict = verdict or {}
            last[item, rater] = Word(
                verdict.get("claim", ""), verdict.get("kind", ""), verdict.get("original", ""), _types(types)
            )
    found: defaultdict[int, list[Word]] = defaultdict(list)
    for (item, _), word in last.items():
        found[item].append(word)
    return found


def _differs(solution_ids: list[int]) -> dict[int, bool]:
    """Solution that was made from an original -> whether its steps or its question are others."""
    found = {}
    for ids in _chunks(solution_ids):
        rows = Injection.objects.filter(child__in=ids).order_by()
        said = rows.values_list("child", "alignment", "child__problem", "parent__problem")
        for child, alignment, question, original_question in said:
            if alignment:
                found[child] = question != original_question or any(op != EQUAL for op, *_ in alignment)
    return found


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    every = list(ids)
    return (every[start : start + 500] for start in range(0, len(every), 500))


def table(found: dict[str, Any]) -> Iterator[list[Any]]:
    """What `read` returned as rows under COLUMNS, one for each kind and rate; all kinds together come last."""
    yield list(COLUMNS)
    for kind, part in [*found["kinds"].items(), ("(all)", found)]:
        shared = [harmless(kind), *(part[name] for name in COLUMNS[1:9])]
        for name, rate in part["rates"].items():
            ends = [rate["interval"]["low"], rate["interval"]["high"]]
            yield [*shared, name, rate["value"], *ends, rate["n"], rate["why"]]
