"""How long does it take to score PRMBench from files?

    python bench/bench_metrics.py [PATH…] [--data PATH… --predictions PATH] [--times 5]

All 6,969 items (6,216 records; PRMBench's counts and mean lengths, made here) and a result row with scores and labels
for each, through what `manage.py benchmark` calls, in a process of its own: files read, both readings, baselines,
profile and all else that the command prints. Bounds after start-up: 0.5 s without intervals, 5 s with 1,000 draws of
problem groups; the process stays under 300 MiB. The best of some runs, in CPU seconds and by the clock: other work
on the machine makes only the second longer. Paths are taken because `make bench` gives them, and ignored.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from serving import ROOT

# Kind as PRMBench spells it -> records, mean steps, mean wrong steps.
KINDS = {
    "redundency": (758, 15.3, 2.0), "circular": (758, 10.3, 2.8), "counterfactual": (757, 13.8, 2.8),
    "step_contradiction": (758, 14.2, 1.6), "domain_inconsistency": (757, 13.3, 1.8), "confidence": (757, 14.2, 1.7),
    "missing_condition": (756, 12.7, 2.5), "deception": (750, 13.4, 2.3), "multi_solutions": (160, 14.1, 0.0),
}  # fmt: skip
STEP = 130  # characters of a step, so that a record is about as long as PRMBench's
BOUNDS = {"reports": 0.5, "with intervals": 5.0}
MEMORY_MIB = 300


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--data", nargs="+", default=[])
    parser.add_argument("--predictions", nargs="+", default=[])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        measure(asked.data, asked.predictions, asked.times)
        return
    with tempfile.TemporaryDirectory() as name:
        data, predictions = (asked.data, asked.predictions) if asked.data else made(Path(name))
        # A process of its own, so that its memory is that of the command and not of making the files.
        own = [sys.executable, __file__, "--inside", "--times", str(asked.times)]
        subprocess.run([*own, "--data", *data, "--predictions", *predictions], check=True)


def made(folder: Path) -> tuple[list[str], list[str]]:
    """The records, and a result row for each item."""
    chance = random.Random(1)
    data, results = folder / "data.jsonl", folder / "results.jsonl"
    with data.open("w") as records, results.open("w") as rows:
        for kind, (n, steps, wrong) in KINDS.items():
            for k in range(n):
                record = a_record(kind, k, steps, wrong, chance)
                records.write(json.dumps(record) + "\n")
                rows.write(json.dumps(a_row(f"{kind}_p_{k}", record["modified_process"], chance)) + "\n")
                if kind == "redundency":
                    rows.write(json.dumps(a_row(f"correct_p_{k}", record["original_process"], chance)) + "\n")
    return [str(data)], [str(results)]


def a_record(kind: str, k: int, steps: float, wrong: float, chance: random.Random) -> dict[str, object]:
    n = max(2, round(chance.gauss(steps, steps / 3)))
    claimed = sorted(
        chance.sample(range(1, n + 1), min(n, max(int(wrong > 0), round(chance.gauss(wrong, 1)))))
    )
    question = f"Problem {k}: " + "x" * 140
    return {
        "original_question": question, "modified_question": question,
        "original_process": [a_step(at) for at in range(n)],
        "modified_process": [a_step(at) for at in range(n)],
        "modified_steps": claimed, "error_steps": claimed, "reason": "r" * 200, "idx": f"p_{k}",
        "question": question, "classification": kind,
    }  # fmt: skip


def a_step(at: int) -> str:
    return f"Step {at}: " + "y" * STEP


def a_row(idx: str, steps: object, chance: random.Random) -> dict[str, object]:
    assert isinstance(steps, list)
    scores = [round(chance.random(), 4) for _ in steps]
    labels = [score > 0.3 for score in scores]
    return {
        "idx": idx,
        "scores": {"step_level_validity_scores": scores, "step_level_validity_labels": labels},
    }


def measure(data: list[str], predictions: list[str], times: int) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from scoring.metrics import on_files

    print(f"{'what':44}{'CPU s':>8}{'clock s':>9}{'bound':>8}")
    for what, draws in (("reports", 0), ("with intervals", 1_000)):
        runs = []
        for _ in range(times):
            started, cpu = perf_counter(), process_time()
            found = on_files.report(
                "prmbench", on_files.Wanted(data=data, predictions=predictions, draws=draws)
            )
            runs.append((process_time() - cpu, perf_counter() - started))
        n = f"{found['n_items']} items, {what}, files read"
        print(
            f"{n:44}{min(run[0] for run in runs):8.2f}{min(run[1] for run in runs):9.2f}{BOUNDS[what]:8.1f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'memory at its peak, MiB':44}{peak:8.0f}{'':9}{MEMORY_MIB:8}")


if __name__ == "__main__":
    main()
