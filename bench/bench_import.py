"""How fast do PRMBench records come in and go out?

    python bench/bench_import.py [PATH…] [--records N] [--database sqlite|postgres]

The records are repeated with fresh ids and bases up to N in a temporary file, and both commands run as a user
would run them, each in a process of its own on a new database. Durability is as in production: SQLite with
synchronous=FULL, PostgreSQL with its own defaults.
"""

import argparse
import filecmp
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from serving import database as database_at
from serving import environment
from tiling import tile

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "tests" / "data" / "prmbench.jsonl"
FULL_SET_TEN_TIMES = 62_160


class Run(NamedTuple):
    """One command: how long it took as a whole, the most memory it held, and what it printed."""

    seconds: float
    mib: float
    output: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", metavar="path", default=[str(OURS)], help="PRMBench files")
    parser.add_argument("--records", type=int, default=FULL_SET_TEN_TIMES)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        source = Path(folder) / "records.jsonl"
        tile([Path(path) for path in asked.paths], asked.records, source)
        print(f"{asked.records:,} records, {source.stat().st_size / 2**20:.0f} MiB")
        print(f"{'':<12}{'import/s':>10}{'pass 1':>9}{'pass 2':>9}{'MiB':>6}{'export/s':>11}{'MiB':>6}  same")
        for database in asked.database or ["sqlite", "postgres"]:
            show(database, source, Path(folder) / database, asked.records)


def show(database: str, source: Path, folder: Path, n: int) -> None:
    folder.mkdir()
    with database_at(database, folder) as url:
        env = environment(folder, url)
        manage(["migrate", "--verbosity", "0"], env)
        came = manage(["import_solutions", "bench", str(source), "--format", "prmbench", "--create"], env)
        out = folder / "out.jsonl"
        which = ["--format", "prmbench", "--which", "injector:prmbench", "-o", str(out)]
        went = manage(["export_annotations", "bench", *which], env)
    first, second = re.findall(r"in ([\d.]+) s", came.output)
    same = filecmp.cmp(
        out, source, shallow=False
    )  # not read whole: what a parent holds counts for its children
    print(
        f"{database:<12}{n / came.seconds:>10,.0f}{first:>8}s{second:>8}s{came.mib:>6.0f}"
        f"{n / went.seconds:>11,.0f}{went.mib:>6.0f}  {'yes' if same else 'NO'}"
    )


def manage(args: list[str], env: dict[str, str]) -> Run:
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), *args], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{args[0]} failed:\n{output}")
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024, output)


if __name__ == "__main__":
    main()
