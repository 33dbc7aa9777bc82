"""Records as Parquet. pyarrow is loaded only here and only when it runs: what serves pages has none."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from annotator import errors

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
    """The columns: those of release_records.record, in its order."""
    text, texts = pa.string(), pa.list_(pa.string())
    types = pa.list_(texts)
    person = pa.struct(
        {
            "rater": text, "labels": texts, "error_types": types, "finish_reason": text, "phase": text,
            "guideline": pa.int32(), "blind_shows": text, "labels_first": pa.bool_(),
        }
    )  # fmt: skip
    machine = pa.struct(
        {
            "rater": text,
            "spec": text,
            "labels": texts,
            "scores": pa.list_(pa.float64()),
            "redundancy_labels": texts,
            "error_types": types,
        }
    )
    columns = {
        "id": text, "digest": text, "split": text, "group": text, "kind": text, "protocol": text,
        "problem": text, "answer": text, "original_problem": text, "original_steps": texts, "steps": texts,
        "labels": texts, "labels_from": text, "decision": text, "error_types": types, "has_error": pa.bool_(),
        "first_error": pa.int32(), "verified": pa.list_(pa.bool_()), "solution_verified": pa.bool_(),
        "raters": pa.list_(person), "n_raters": pa.int32(), "agreement": pa.float64(),
        "guidelines": pa.list_(pa.int32()), "machine_labels": pa.list_(machine), "findings": texts,
        "format": text, "problem_meta": text, "solution_meta": text,
    }  # fmt: skip
    return pa.schema(list(columns.items()))
