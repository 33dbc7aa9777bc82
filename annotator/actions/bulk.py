"""What long work asks of a database connection.

On PostgreSQL, Django's bulk_create sends text arrays: quoting them was a fifth of an import's time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg.types.array import ListDumper

GC_EVERY = 100_000  # objects made and not freed; Python's own is 700


class QuickListDumper(ListDumper):
    """Quotes every element of a flat list. Psycopg's own escapes each special character by a Python call, and
    steps as JSON are full of quotes and backslashes."""

    def dump(self, obj: list[Any]) -> Any:
        if not obj or any(isinstance(item, list) for item in obj):
            return super().dump(obj)
        dump = self.sub_dumper.dump if self.sub_dumper else self._dump_item
        quoted = (_quoted(None if item is None else dump(item)) for item in obj)
        return b"{" + self.delimiter.join(quoted) + b"}"


def _quoted(value: Any) -> bytes:
    if value is None:
        return b"NULL"
    return b'"' + bytes(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


@contextmanager
def rare_collection() -> Iterator[None]:
    """Look for cycles seldom while millions of plain objects come and go: a tenth less time."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GC_EVERY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def prepare_connection() -> None:
    """Make the connection fit for imports and exports, for as long as it lives.

    SQLite's memory map would count as ours: 128 MiB more, and reading once from end to end gains nothing by it.
    """
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        connection.connection.adapters.register_dumper(list, QuickListDumper)
    elif connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA mmap_size=0")
