"""Run every test: `python -m tests`, or `make test`. Ends with one line: "N passed, N failed".

Two lanes run beside each other, for neither asks for two whole cores. One computes: everything on SQLite, then what
touches the database once more on a real PostgreSQL, two at a time. The other waits, mostly: for servers to start and
die, one after the other, then for pages in browsers, two at a time. What a part printed is shown when it has ended.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.services.servers import postgres_server

ROOT = Path(__file__).resolve().parent.parent
SERVICES, BROWSER = "tests/services", "tests/e2e"
TWO = ["-n", "2"]


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def main() -> int:
    os.chdir(ROOT)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plumbline-tests-") as folder, ThreadPoolExecutor() as lanes:
        both = [lanes.submit(lane, Path(folder)) for lane in (computing, waiting)]
        total = sum((one.result() for one in both), Counts())
    print(f"\n== all: {time.monotonic() - started:.0f} s")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


def computing(scratch: Path) -> Counts:
    rest = ["tests", *(f"--ignore={path}" for path in (SERVICES, BROWSER)), *TWO]
    done = run("fast", rest, scratch)
    with postgres_server(scratch / "postgres") as server:
        # As the web talks to it; imports and the worker do without prepared statements, in tests/services.
        how = {"DATABASE_URL": server.url(), "PREPARED_STATEMENTS": "1"}
        return done + run("PostgreSQL", [*rest, "--database-only"], scratch, **how)


def waiting(scratch: Path) -> Counts:
    return run(SERVICES, [SERVICES], scratch) + run(BROWSER, [BROWSER, *TWO], scratch)


def run(name: str, arguments: list[str], scratch: Path, **environment: str) -> Counts:
    """One run of pytest. Whatever ends it early (no test found, a crash) counts as one more failure."""
    print(f"\n== {name} begins: {' '.join(arguments)}", flush=True)
    report = scratch / f"{name.replace('/', '-')}.xml"
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    counts = read_counts(report) if report.exists() else Counts()
    if done.returncode != 0 and not counts.failed:
        counts += Counts(failed=1)
    print(f"\n{done.stdout}== {name}: {counts} in {time.monotonic() - started:.0f} s", flush=True)
    return counts


def read_counts(report: Path) -> Counts:
    """Sums of a JUnit report; an error in a fixture is a failure. A test that fails and then errs too counts
    once, as pytest's own report counts it as one case."""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return Counts(len(cases) - failed - skipped, failed, skipped)


if __name__ == "__main__":
    sys.exit(main())
