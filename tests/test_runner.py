"""The runner's closing line counts what happened, and nothing that ends early looks like a pass."""

from pathlib import Path

import pytest

from tests.__main__ import Counts, read_counts, run

OUTCOMES = """
import pytest
def test_passes(): pass
def test_fails(): assert False
@pytest.fixture
def broken(): raise ValueError
def test_errs(broken): pass
@pytest.mark.skip(reason="to be counted")
def test_is_skipped(): pass
"""


def run_file(folder: Path, text: str) -> Counts:
    path = folder / "test_made_up.py"
    path.write_text(text)
    return run("made-up", [str(path), "-c", "/dev/null"], folder, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def test_outcomes_are_counted(tmp_path: Path) -> None:
    assert run_file(tmp_path, OUTCOMES) == Counts(passed=1, failed=2, skipped=1)


@pytest.mark.parametrize("text", ["", "import nothing_of_this_name", "import os; os._exit(3)"])
def test_a_run_that_ends_early_is_a_failure(tmp_path: Path, text: str) -> None:
    assert run_file(tmp_path, text) == Counts(failed=1)


def test_counts_add_up_and_say_so() -> None:
    total = Counts(2, 0, 0) + Counts(3, 1, 4)
    assert str(total) == "5 passed, 1 failed, 4 skipped"
    assert str(Counts(2, 0, 0)) == "2 passed, 0 failed"


def test_a_failure_with_an_error_after_it_counts_once(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("<s><testcase><failure/><error/></testcase><testcase/></s>")
    assert read_counts(report) == Counts(passed=1, failed=1)
