"""What takes long of a project's evaluations, kept while nothing happens in it, and never for more than 2 % of the time
(annotator/caching.py)."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from django.db.models import Subquery, Sum

from annotator import errors
from annotator.caching import self_tuned
from annotator.models import Event, Project, Run
from scoring.evaluating import asked
from scoring.evaluating.truths import GOLD, RELEASED, SAME, Truth, check_benchmark

ALWAYS_FRESH_S: Final = 0.2
UNITS: Final = 10**9


def truth_of(project: Project, benchmark: str) -> Truth[Any]:
    check_benchmark(benchmark)
    stamp = stamp_of(project)

    def read() -> Truth[Any]:
        return replace(asked.truth(project, benchmark), stamp=stamp)

    found: Truth[Any] = kept(project, f"truth:{benchmark}", read, stamp)
    return found


def side_of(labels: str) -> str:
    if labels not in (RELEASED, GOLD, SAME):
        raise errors.Invalid(f"Choose one side's labels: {RELEASED} or {GOLD}.", field="labels")
    return labels


def kept(project: Project, key: str, compute: Callable[[], Any], stamp: int | None = None) -> Any:
    """stamp: the project's, where it is known already."""
    name = f"evaluations:{project.pk}:{sha256(key.encode()).hexdigest()}"
    stamp = stamp_of(project) if stamp is None else stamp
    return self_tuned(name, compute, stamp=stamp, always_fresh_s=ALWAYS_FRESH_S)


def stamp_of(project: Project) -> int | None:
    """A number that changes with whatever may change a report: events, and the units that runs have done, since a
    run writes an event only when it begins and ends. None while nothing has happened."""
    done = (
        Run.objects.filter(project=project).order_by().values("project").annotate(n=Sum("n_done")).values("n")
    )
    newest = Event.objects.filter(project=project).order_by("-id").annotate(done=Subquery(done))
    found = newest.values_list("id", "done").first()
    return found and found[0] * UNITS + (found[1] or 0) % UNITS
