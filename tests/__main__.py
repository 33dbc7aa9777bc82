"""Run every test: `python -m tests`, or `make test`. Ends with one line: "N passed, N failed".

First everything on SQLite, then what touches the database once more on a real PostgreSQL, two at a time. Tests
that start servers and kill processes run one after the other, so that two cores are not asked for six.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
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
    with tempfile.TemporaryDirectory(prefix="plumbline-tests-") as folder:
        scratch = Path(folder)
        apart = [f"--ignore={path}" for path in (SERVICES, BROWSER)]
        total = run("fast", ["tests", *apart, *TWO], scratch)
        total += run(SERVICES, [SERVICES], scratch)
        total += run(BROWSER, [BROWSER, *TWO], scratch)
        with postgres_server(scratch / "postgres") as server:
            # As the web talks to it; imports and the worker do without prepared statements, in tests/services.
            how = {"DATABASE_URL": server.url(), "PREPARED_STATEMENTS": "1"}
            total += run("PostgreSQL", ["tests", *apart, "--database-only", *TWO], scratch, **how)
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


def run(name: str, arguments: list[str], scratch: Path, **environment: str) -> Counts:
    """One run of pytest. Whatever ends it early (no test found, a crash) counts as one more failure."""
    print(f"\n== {name}: {' '.join(arguments)}", flush=True)
    report = scratch / f"{name.replace('/', '-')}.xml"
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments],
        env=os.environ | environment,
        check=False,
    )
    print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    counts = read_counts(report) if report.exists() else Counts()
    broken = done.returncode != 0 and not counts.failed
    return counts + Counts(failed=1) if broken else counts


def read_counts(report: Path) -> Counts:
    """Sums of a JUnit report; an error in a fixture is a failure. A test that fails and then errs too counts
    once, as pytest's own report counts it as one case."""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return Counts(len(cases) - failed - skipped, failed, skipped)


if __name__ == "__main__":
    sys.exit(main())
