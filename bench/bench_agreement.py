"""How long does agreement take to compute, and to show?

    python bench/bench_agreement.py [PATH…] [--solutions 100000] [--items 10000] [--keep FOLDER]

Two questions. Krippendorff's alpha of three raters with its interval from 1,000 draws of problem groups, from label
strings in memory; bound 10 s. And the whole report of a project of 10,000 items (two reviewers, a source, a model)
with every slice: computed from the database, and its page once it is kept; bound of the page 1 s. The labels are made
here; paths are taken because `make bench` gives them, and ignored. `--keep` leaves the database there, to look at.
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from serving import ROOT, environment

STEPS = 13
WRONG = 0.15  # of the steps
RIGHT_OF = {"anna": 0.95, "ben": 0.9, "cleo": 0.8, "source": 0.93, "model": 0.85}
BOUNDS = {"alpha": 10.0, "page": 1.0}
KINDS = ("circular", "counterfactual", "redundancy", "confidence", "deception", "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--solutions", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    print(f"{'what':56}{'seconds':>9}{'bound':>8}")
    alpha(asked.solutions)
    with folder(asked.keep) as where:
        report(where, asked.items)


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)


def show(what: str, seconds: float, bound: float | None = None) -> None:
    print(f"{what:56}{seconds:9.2f}{bound or '':>8}", flush=True)


def said(truth: str, right: float, chance: random.Random) -> str:
    return "".join(label if chance.random() < right else "+-"[label == "+"] for label in truth)


def truths(n: int, chance: random.Random) -> Iterator[str]:
    for _ in range(n):
        yield "".join("-" if chance.random() < WRONG else "+" for _ in range(STEPS + chance.randint(-5, 5)))


def alpha(n_solutions: int) -> None:
    import numpy as np

    from annotator.core import columns as cols
    from annotator.core import panel
    from annotator.core.intervals import Draws
    from annotator.core.labels import first_error

    chance = random.Random(1)
    solution, rater, labels = [], [], []
    for number, truth in enumerate(truths(n_solutions, chance)):
        for who, right in enumerate((0.95, 0.9, 0.8)):
            solution.append(number)
            rater.append(who)
            labels.append(said(truth, right, chance))
    first = [first_error(one) for one in labels]
    started = perf_counter()
    of = cols.columns(solution, rater, solution, labels, first)
    table = cols.steps(of, np.arange(len(labels)), of.solution)
    sums, there = cols.cluster_sums(panel.columns_of(table.counts), table.cluster, of.n_clusters)
    drawn = panel.alpha()(Draws(of.n_clusters).resampled(sums, there))
    found = panel.estimates_from(
        sums.sum(axis=0), drawn[:, np.newaxis], {"alpha": panel.alpha()}, len(sums), ""
    )
    took = perf_counter() - started
    value, (low, high, _) = found["alpha"].statistic.value, found["alpha"].interval
    show(f"alpha {value:.4f}, {low:.4f} to {high:.4f}; {n_solutions:,} x 3 x {STEPS}", took, BOUNDS["alpha"])


def report(where: Path, n_items: int) -> None:
    os.environ.update(environment(where, f"sqlite:///{where / 'bench.sqlite3'}") | {"DEBUG": "1"})
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from annotator import reports
    from annotator.models import Membership

    call_command("migrate", verbosity=0)
    project = fill(n_items)
    lead = Membership.objects.get(project=project, role="lead")
    client = Client(headers={"host": "localhost"})
    client.force_login(lead.user)
    started = perf_counter()
    reports.read(project)
    show(f"the whole report of {n_items:,} items, computed", perf_counter() - started)
    for turn in ("first", "kept"):
        started = perf_counter()
        response = client.get(f"/p/{project.slug}/agreement/")
        assert response.status_code == 200, response.status_code
        show(f"its page, {turn}", perf_counter() - started, BOUNDS["page"] if turn == "kept" else None)
    started = perf_counter()
    n_bytes = sum(map(len, client.get(f"/p/{project.slug}/agreement/steps.csv").streaming_content))
    show(f"the diagnosis table, {n_bytes / 1e6:.1f} MB", perf_counter() - started)


def fill(n_items: int):
    """Items over twelve weeks, in problem groups of two; made row by row, not by the actions, to be quick."""
    from django.db import transaction
    from django.utils import timezone

    from annotator import models as m
    from annotator.core.labels import first_error

    chance = random.Random(2)
    project = m.Project.objects.create(slug="bench", name="Bench", protocol="label_steps", overlap=2)
    guideline = m.Guideline.objects.create(project=project, version=1, text="Label every step.")
    raters = {name: person(project, name) for name in ("anna", "ben", "cleo")}
    person(project, "lead", "lead")
    raters["source"] = m.Rater.objects.create(kind="source", name="bench")
    raters["model"] = m.Rater.objects.create(kind="prm", name="model")
    now = timezone.now()
    all_truths = list(truths(n_items, chance))
    with transaction.atomic():
        problems = m.Problem.objects.bulk_create(
            m.Problem(
                project=project,
                group=f"g{n // 2}",
                text=f"What is {n} + {n}?",
                key=f"p{n}",
                meta={"level": n % 5},
            )
            for n in range(n_items)
        )
        solutions = m.Solution.objects.bulk_create(
            m.Solution(
                project=project, problem=problem, steps=[f"Step {i}." for i in range(len(truth))],
                n_steps=len(truth), digest=f"d{n}", key=f"s{n}", foreign_id=f"b{n}",
            )
            for n, (problem, truth) in enumerate(zip(problems, all_truths, strict=True))
        )  # fmt: skip
        items = m.Item.objects.bulk_create(
            m.Item(
                project=project, solution=one, protocol="label_steps", wanted=2, open_slots=0,
                error_type=KINDS[n % len(KINDS)],
            )
            for n, one in enumerate(solutions)
        )  # fmt: skip
        pairs = [(n, who) for n in range(n_items) for who in chance.sample(("anna", "ben", "cleo"), 2)]
        assignments = m.Assignment.objects.bulk_create(
            m.Assignment(
                project=project, item=items[n], rater=raters[who], state="submitted", submitted_at=now
            )
            for n, who in pairs
        )
        rows = []
        for (n, who), assignment in zip(pairs, assignments, strict=True):
            right = RIGHT_OF[who] - 0.02 * (n % len(KINDS))
            rows.append((n, who, said(all_truths[n], right, chance), {
                "assignment": assignment, "phase": "blind", "finish_reason": "solution", "guideline": guideline,
                "blind_shows": "solution",
            }))  # fmt: skip
        for n, truth in enumerate(all_truths):
            for who in ("source", "model"):
                rows.append((n, who, said(truth, RIGHT_OF[who], chance), {"phase": "machine"}))
        made = m.Annotation.objects.bulk_create(
            m.Annotation(
                solution=solutions[n], rater=raters[who], labels=labels, n_steps=len(labels),
                first_error=first_error(labels), **more,
            )
            for n, who, labels, more in rows
        )  # fmt: skip
        for one, (n, *_) in zip(made, rows, strict=True):
            one.created_at = now - timedelta(weeks=12 * (1 - n / n_items))
        m.Annotation.objects.bulk_update(made, ["created_at"], batch_size=2_000)
        m.Event.objects.create(project=project, verb="import", data={})
    return project


def person(project, name: str, role: str = "reviewer"):
    from annotator.models import Membership, Rater, User

    user = User.objects.create_user(name, password="bench bench bench")
    rater = Rater.objects.create(kind="reviewer", name=name, user=user)
    Membership.objects.create(project=project, user=user, rater=rater, role=role)
    return rater


if __name__ == "__main__":
    main()
