"""The foreign formats of a release, each written from rows that were kept while the records were."""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from annotator import errors
from annotator.actions.export_options import Chosen, choose
from annotator.actions.exports import Outcome, format_written
from annotator.actions.release_files import Manifest, ReleasedFile
from annotator.actions.release_parquet import of_lines
from annotator.actions.transfers import Alive
from annotator.formats import choices
from annotator.formats.records import ClaimRecord, ExportRecord, ProblemRecord, SolutionRecord

LINES = ".jsonl"
LEVEL = pickle.HIGHEST_PROTOCOL


def chosen_of(name: str, options: Mapping[str, str]) -> Chosen:
    """How a format writes rows under a rule's options. Raises Invalid, naming options or formats."""
    try:
        fmt = format_written(name)
        able = {one: value for one, value in options.items() if choices.possible(one, fmt.says)}
        return choose(fmt, able)
    except errors.Invalid as error:
        field = "formats" if error.field == "format" else "options"
        raise errors.Invalid(error.message, field=field) from error


def _values(row: Any) -> tuple[type, tuple[Any, ...]]:
    return type(row), tuple(getattr(row, name) for name in row.__slots__)


class Keeper(pickle.Pickler):
    """Keeps records by their values. By itself pickle asks a frozen dataclass for its fields each time."""

    dispatch_table = dict.fromkeys((ExportRecord, ProblemRecord, SolutionRecord, ClaimRecord), _values)


def write_format(
    folder: Path, chosen: Chosen, spools: Mapping[str, Path], manifest: Manifest, alive: Alive
) -> dict[str, Any]:
    """Write a format's file of each split. Returns what it had no way to say: why -> {"n", "first"}."""
    fmt, left_out = chosen.format, Outcome()
    (folder / fmt.name).mkdir()
    assert fmt.write  # noqa: S101  (format_written lets no other through)
    for split, spool in sorted(spools.items()):
        name = f"{fmt.name}/{split}{fmt.suffix}"
        before = left_out.n
        with spool.open("rb") as rows, (folder / name).open("wb") as out:
            for piece in fmt.write(_writable(rows, chosen, left_out, alive)):
                alive()
                out.write(piece.encode())
        manifest.files.append(ReleasedFile(name, 0, "", fmt.name, split, left_out.n - before))
        if manifest.rule["parquet"] and fmt.suffix == LINES:
            _write_parquet(folder, manifest, left_out.n - before, alive)
    return left_out.left_out


def _write_parquet(folder: Path, manifest: Manifest, n: int, alive: Alive) -> None:
    """The format's last file as Parquet, beside it; why there is none is said in the manifest."""
    last = manifest.files[-1]
    name = last.name.removesuffix(LINES) + ".parquet"
    why = of_lines(folder / last.name, folder / name, alive)
    if why:
        manifest.no_parquet[last.name] = why
    else:
        manifest.files.append(last._replace(name=name, n=n))


def _writable(rows: IO[bytes], chosen: Chosen, outcome: Outcome, alive: Alive) -> Iterator[ExportRecord]:
    """What the format can say of the rows that were kept; the rest is counted."""
    refusal = chosen.format.refusal or (lambda row: None)
    while rows.peek(1):  # type: ignore[attr-defined]
        alive()
        came, foreign_format = pickle.load(rows)  # noqa: S301  (this process has just written it)
        silence = chosen.silence(came)
        row = came if silence else chosen.fitted(came, foreign_format)
        refused = None if silence else refusal(row)
        if silence or refused:
            outcome.leave_out(came.solution.foreign_id, silence or (refused.message if refused else ""))
            continue
        outcome.n += 1
        yield row
