"""Records and JSON Lines as Parquet. pyarrow is loaded only here and only when it runs: what serves pages has none."""

from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from annotator import errors
from annotator.actions.transfers import Alive
from annotator.core.record_columns import COLUMNS, Column, Kind

BATCH = 500
LINES = 2000  # of a foreign file, read at once
MISSING = (
    "Parquet needs pyarrow, which what serves pages goes without: install requirements.txt where the worker or "
    "the command runs, or make the release without Parquet."
)


def pyarrow() -> ModuleType:
    """Raises Conflict where it is not installed."""
    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as error:
        raise errors.Conflict(MISSING, field="parquet") from error


class ParquetFile:
    """A file that records are added to one by one; `close` writes what is left."""

    def __init__(self, path: Path) -> None:
        self._arrow = pyarrow()
        self._schema = schema(self._arrow)
        self._writer = self._arrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            batch = self._arrow.RecordBatch.from_pylist(self._rows, schema=self._schema)
            self._writer.write_batch(batch)
            self._rows = []


def schema(pa: ModuleType) -> Any:
    """The columns of the records, in their order."""
    return pa.schema([(column.name, _type(pa, column)) for column in COLUMNS])


def _type(pa: ModuleType, column: Column) -> Any:
    found = getattr(pa, column.kind.value)() if column.kind != Kind.BOOLEAN else pa.bool_()
    if column.members:
        found = pa.struct([(member.name, _type(pa, member)) for member in column.members])
    for _ in range(column.depth):
        found = pa.list_(found)
    return found


def of_lines(source: Path, target: Path, alive: Alive = lambda: None) -> str:
    """Write a file of JSON Lines as Parquet, its columns as its members are. Returns why it cannot be, or "".

    Two passes, for a member may first appear late: what the columns are, then the rows. Texts stay texts, also
    where they look like times.
    """
    pa = pyarrow()
    try:
        found = _found_schema(pa, source, alive)
        if not found.names:
            return "there are no lines"
        with pa.parquet.ParquetWriter(target, found, compression="zstd") as writer:
            for table in _tables(source, found, alive):
                writer.write_table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        target.unlink(missing_ok=True)
        return f"its lines do not have the same members throughout ({str(error).splitlines()[0]})"
    return ""


def _found_schema(pa: ModuleType, source: Path, alive: Alive) -> Any:
    found = pa.schema([])
    for table in _tables(source, None, alive):
        own = pa.schema([(field.name, _untimed(pa, field.type)) for field in table.schema])
        found = pa.unify_schemas([found, own], promote_options="permissive")
    return found


def _tables(source: Path, schema: Any, alive: Alive) -> Iterator[Any]:
    read = import_module("pyarrow.json")
    options = read.ParseOptions(explicit_schema=schema, newlines_in_values=False)
    with source.open("rb") as lines:
        while data := b"".join(islice(lines, LINES)):
            alive()
            blocks = read.ReadOptions(block_size=len(data) + 1, use_threads=False)
            yield read.read_json(BytesIO(data), read_options=blocks, parse_options=options)


def _untimed(pa: ModuleType, found: Any) -> Any:
    """The type with texts where the reader saw times."""
    if pa.types.is_timestamp(found):
        return pa.string()
    if pa.types.is_list(found):
        return pa.list_(_untimed(pa, found.value_type))
    if pa.types.is_struct(found):
        return pa.struct([(member.name, _untimed(pa, member.type)) for member in found])
    return found
