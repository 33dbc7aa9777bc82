"""What long work asks of a database connection: many rows at once, and settings.

On PostgreSQL, Django's bulk_create sends text arrays: quoting them was a fifth of an import's time.
"""

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import JSONField, Model
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


_compact = json.JSONEncoder(check_circular=False).encode


class Table:
    """Writes rows of a model past Django's bulk_create, which took two thirds of an import's time: it makes an
    object for each row and an SQL literal for each value.

    columns: the attributes that differ from row to row.  same: those that are the same in all rows.  The others
    have their defaults.  Ids are not returned; `values` are plain (text, numbers, None, what JSON can say).
    """

    def __init__(self, model: type[Model], columns: Sequence[str], **same: Any) -> None:
        fields = {f.attname: f for f in model._meta.local_concrete_fields if not f.primary_key}
        rest = [name for name in fields if name not in columns]
        self._template = model(**{name: value for name, value in same.items() if name in fields})
        self._rest = [fields[name] for name in rest]
        self._json = [n for n, name in enumerate(columns) if isinstance(fields[name], JSONField)]
        quote = connection.ops.quote_name
        self._table = quote(model._meta.db_table)
        self._columns = ", ".join(quote(str(fields[name].column)) for name in (*columns, *rest))
        self._n = len(fields)

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, each with a value for every column, in order. They are taken one by one, so that
        PostgreSQL works while the next is made: nothing may be asked of the database meanwhile. The caller is in
        a transaction."""
        rest = tuple(self._prepared(field) for field in self._rest)
        values = ((*self._dumped(row), *rest) for row in rows)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                into = f"COPY {self._table} ({self._columns}) FROM STDIN"
                with connection.wrap_database_errors, cursor.copy(into) as copy:
                    for row in values:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * self._n)
                sql = f"INSERT INTO {self._table} ({self._columns}) VALUES ({marks})"  # noqa: S608  (our own names)
                cursor.executemany(sql, list(values))

    def _dumped(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._json:
            return row
        plain = list(row)
        for n in self._json:
            if plain[n] is not None:
                plain[n] = _compact(plain[n])
        return plain

    def _prepared(self, field: Any) -> Any:
        """What a row has that names no other value: the default, or the time for a field that keeps it."""
        value = field.pre_save(self._template, add=True)
        return field.get_db_prep_save(value, connection)


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
