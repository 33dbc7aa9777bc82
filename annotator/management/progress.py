"""A progress bar for commands: on a terminal only, so that logs and pipes stay clean."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Tick = Callable[[int, int], None]


@contextmanager
def progress(title: str) -> Iterator[Tick]:
    """Yield what is told how much is done, of how much."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with tqdm(desc=title, file=sys.stderr) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield tick
