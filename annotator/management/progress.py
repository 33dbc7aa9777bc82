"""A progress bar for commands: on a terminal only, so that logs and pipes stay clean."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tick = Callable[[int, int], None]


@contextmanager
def progress(title: str) -> Iterator[Tick]:
    """Yield what is told how much is done, of how much."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    # Imported only where it is shown: it takes as long as a small import.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
