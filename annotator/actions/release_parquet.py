"""Records as Parquet. pyarrow is loaded only here and only when it runs: what serves pages has none."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from annotator import errors
from annotator.core.record_columns import COLUMNS, Column, Kind

BATCH = 500
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
