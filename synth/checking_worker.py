"""The process in which answers are checked: JSON lines in, JSON lines out (`python -m synth.checking_worker SECONDS`).

It is there to be killed. A check that takes longer than SECONDS is ended by the kernel together with the process, also
when sympy is deep in a computation that no exception can interrupt, and also when nobody is left to wait for it.
"""

import json
import logging
import os
import signal
import sys
from typing import Final

from synth.methods.answers import verdict

READY: Final = "ready"
_MEMORY: Final = 2 * 2**30  # bytes of address space; what needs more is undecided


def main(limit_s: float) -> None:
    """Answer until there is nothing more to read."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer
    logging.disable()
    try:
        import math_verify  # noqa: F401
    except ImportError as error:
        out.write(json.dumps({"error": f"Answers cannot be checked: {error}."}) + "\n")
        return
    verdict("2x+1", "1+2x")  # what is built at the first use is not to count against the first answer
    _bound_memory()
    out.write(json.dumps(READY) + "\n")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for line in sys.stdin:
        gold, answer = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        found = verdict(gold, answer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        out.write(json.dumps(found) + "\n")


def _bound_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    main(float(sys.argv[1]))
