"""Processes that end with whoever started them, so that `kill -9` of `manage.py up` leaves nothing."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

PR_SET_PDEATHSIG = 1
STOPS = {signal.SIGINT, signal.SIGTERM}


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent`, which started it, is gone; also if it is gone already.

    Outside Linux this does nothing: there a manager that is killed with -9 leaves its processes behind.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


class TiedProcess(Process):  # type: ignore[misc]  # honcho has no types
    """Honcho runs each command below a process of its own: both are tied, each to the one above."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._manager = os.getpid()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        die_with_parent(self._manager)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        tie: Callable[[], None] = partial(die_with_parent, os.getpid())
        self._child_ctor = partial(Popen, preexec_fn=tie)
        super().run(events, ignore_signals)


class TiedManager(Manager):  # type: ignore[misc]
    """From here on a signal waits until everything is started: one that comes during a fork would be lost, as
    Python ignores what a handler raises there."""

    def __init__(self) -> None:
        super().__init__()
        self._process_ctor = TiedProcess
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)

    def _start(self) -> None:
        super()._start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def terminate(self) -> None:
        """Honcho itself fails on a signal that comes before every process has told its id."""
        if self._all_started():
            super().terminate()
            return
        for runner in multiprocessing.active_children():
            runner.kill()
        sys.stdout.flush()
        os._exit(self.returncode or 1)
