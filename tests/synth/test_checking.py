"""Answer checks in processes of their own: what takes for ever is killed, and the next check goes on."""

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.checking import Checker, CheckerUnavailable
from synth.methods.answers import MAX
from synth.methods.asks import Check, Verdict

BOMB = Check("9^{9^{9^9}}", "1")


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as found:
        yield found


def ids(checker: Checker) -> list[int]:
    return [process.running.pid for process in checker._all if process.running]


def test_checks_are_answered_in_order_whatever_their_number(checker: Checker) -> None:
    async def all_of(checks: list[Check]) -> list[Verdict]:
        return await asyncio.gather(*(checker.check(check) for check in checks))

    checks = [Check("1/2", "0.5"), Check("12", "13"), Check("5", "five")] + [
        Check(str(n), str(n + n % 2)) for n in range(40)
    ]
    expected = ["right", "wrong", "undecided"] + ["wrong" if n % 2 else "right" for n in range(40)]
    assert asyncio.run(all_of(checks)) == expected
    assert asyncio.run(all_of(checks[:3])) == expected[:3]  # another event loop, the same processes
    assert len(ids(checker)) <= 2


def test_what_takes_for_ever_is_undecided_and_the_next_is_answered() -> None:
    with Checker(size=1, limit_s=1.5) as one:
        assert one.check_now(Check("1", "1")) == "right"
        (before,) = ids(one)
        assert one.check_now(BOMB) == "undecided"
        assert not is_alive(before)
        assert one.check_now(Check("2", "3")) == "wrong"
        (after,) = ids(one)
        assert one.check_now(BOMB) == "undecided"
        assert ids(one) == [after]  # remembered, so nothing had to die again


def test_a_process_that_is_killed_is_replaced(checker: Checker) -> None:
    checker.check_now(Check("3", "4"))
    for pid in ids(checker):
        os.kill(pid, signal.SIGKILL)
    for process in checker._all:
        if process.running:
            process.running.wait()
    assert checker.check_now(Check("5", "6")) == "wrong"


def test_what_is_too_long_is_not_even_sent(checker: Checker) -> None:
    assert checker.check_now(Check("1", "1" * (MAX + 1))) == "undecided"


def test_no_process_is_left_behind() -> None:
    with Checker(size=1) as one:
        assert one.check_now(Check("7", "7.0")) == "right"
        (pid,) = ids(one)
    assert not is_alive(pid)


def test_it_says_why_no_answer_can_be_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "math_verify.py").write_text("raise ImportError('math-verify is not installed')")
    monkeypatch.syspath_prepend(tmp_path)
    with Checker(size=1) as one, pytest.raises(CheckerUnavailable, match="math-verify is not installed"):
        one.check_now(Check("1", "2"))


def test_where_one_does_not_start_another_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "math_verify.py").write_text("import os\nos._exit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    with Checker(size=1) as one:
        with pytest.raises(CheckerUnavailable, match="does not start") as said:
            one.check_now(Check("1", "2"))
        assert said.value.again
        monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
        with pytest.raises(CheckerUnavailable, match="can be started: No such file") as said:
            one.check_now(Check("1", "2"))
        assert said.value.again


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_processes_know_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    with Checker(size=1) as one:
        one.check_now(Check("1", "2"))
        (pid,) = ids(one)
        told = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"PYTHONPATH" in told
    assert b"hush" not in told


def test_it_works_where_no_process_may_have_children() -> None:
    """As in a worker of Celery, which is a daemon of multiprocessing."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=check_in_daemon, args=(theirs,), daemon=True)
    child.start()
    assert ours.poll(60)
    assert ours.recv() == ["right", "wrong"]
    child.join()


def check_in_daemon(pipe: multiprocessing.connection.Connection) -> None:
    with Checker(size=1) as one:
        pipe.send([one.check_now(Check("1/2", "0.5")), one.check_now(Check("1/2", "0.6"))])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
