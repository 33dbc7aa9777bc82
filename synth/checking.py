"""Answer checks in processes that can be killed, for methods that yield `Check`.

math-verify hands texts of models to sympy, where some take for ever; its own time-outs rest on signals, which work in
no thread, and take a time-out for a wrong answer. So each check has a process of its own for as long as it takes
(checking_worker), and one that is not answered in time is undecided: the process dies and the next check starts
another. They are started by subprocess: the workers of Celery may have no children by multiprocessing.
"""

import asyncio
import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final, Self, cast

from synth.checking_worker import READY
from synth.methods.answers import MAX
from synth.methods.asks import Check, Verdict

_ROOT: Final = Path(__file__).resolve().parent.parent
_START_S: Final = 60.0  # until a process has imported sympy, on however busy a machine
_GRACE_S: Final = 2.0  # after its limit a process is gone by itself; this is for one that is not
_KNOWN: Final = 4_096  # checks that are remembered: rollouts come to the same answers again and again


class CheckerUnavailable(RuntimeError):
    """No process can be started that checks answers; the text says why. again: later one may start."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


class Checker:
    """A few processes that check answers; they are started when first needed.

    Safe to use from many threads and from any event loop: `check` for the one, `check_now` for the others. Close it,
    or use it as a context manager.
    """

    def __init__(self, size: int = 2, limit_s: float = 5.0) -> None:
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._all = [_Process(limit_s) for _ in range(size)]
        for process in self._all:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(size, "checking")
        self._known: OrderedDict[Check, Verdict] = OrderedDict()
        self._lock = threading.Lock()

    async def check(self, asked: Check) -> Verdict:
        """Return a verdict without blocking the event loop. Raises CheckerUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.check_now, asked)

    def check_now(self, asked: Check) -> Verdict:
        """Return a verdict, waiting for a free process. Raises CheckerUnavailable."""
        if max(len(asked.gold), len(asked.answer)) > MAX:
            return "undecided"
        with self._lock:
            if asked in self._known:
                self._known.move_to_end(asked)
                return self._known[asked]
        process = self._idle.get()
        try:
            found = process.ask(asked)
        finally:
            self._idle.put(process)
        with self._lock:
            self._known[asked] = found
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return found

    def close(self) -> None:
        """End the processes, whatever they are doing; checks that are under way are undecided."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._all:
            process.end()
        self._threads.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Process:
    """One process at a time, started anew after it died; used by one thread at a time."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.running: subprocess.Popen[bytes] | None = None

    def ask(self, asked: Check) -> Verdict:
        running = self._started()
        try:
            _write(running, [asked.gold, asked.answer])
            found = _read(running, self.limit_s + _GRACE_S)
        except BrokenPipeError:
            found = None
        if found is None:
            self.end()
            return "undecided"
        return cast(Verdict, found)

    def _started(self) -> subprocess.Popen[bytes]:
        if self.running and self.running.poll() is None:
            return self.running
        self.end()
        try:
            self.running = self._start()
        except OSError as error:  # no memory, no more processes
            said = f"No process that checks answers can be started: {error.strerror or error}."
            raise CheckerUnavailable(said, again=True) from error
        said = _read(self.running, _START_S)
        if isinstance(said, dict):
            self.end()
            raise CheckerUnavailable(str(said["error"]))
        if said != READY:
            self.end()
            raise CheckerUnavailable("The process that checks answers does not start.", again=True)
        return self.running

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "synth.checking_worker", str(self.limit_s)],
            cwd=_ROOT,
            # One that reads hostile texts is told where Python's modules are, and nothing else: no keys, no database.
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours to handle
        )

    def end(self) -> None:
        running, self.running = self.running, None
        if running:
            running.kill()
            running.communicate()


def _write(running: subprocess.Popen[bytes], message: list[str]) -> None:
    pipe = cast(IO[bytes], running.stdin)
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _read(running: subprocess.Popen[bytes], wait_s: float) -> Any:
    """Return what a process says, None if it died or says nothing in time. Lines are short, so they come whole."""
    pipe = cast(IO[bytes], running.stdout)
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    if not poll.poll(wait_s * 1000):
        return None
    line = pipe.readline()
    return json.loads(line) if line.endswith(b"\n") else None
