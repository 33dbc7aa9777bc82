"""Token ids that were made once and are kept: one SQLite file, by tokenizer, template and text. Planning a run and
scoring its batches, in whatever process, write each solution only once. Losing the file loses nothing but time."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np

from scoring.prm.spec import Spec
from scoring.prm.template import Built
from scoring.prm.tokens import Tokens

WAIT_S = 20


class Kept:
    """The file at `path`, made where it is not there. One object a thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        self.rows.execute("PRAGMA journal_mode=WAL")
        self.rows.execute("PRAGMA synchronous=OFF")
        self.rows.execute("CREATE TABLE IF NOT EXISTS texts (key BLOB PRIMARY KEY, built BLOB) WITHOUT ROWID")

    def find(self, spec: Spec, tokens: Tokens, problem: str, steps: Sequence[str]) -> list[Built] | None:
        """What was kept of this solution, None where nothing was."""
        asked = (_key(spec, tokens, problem, steps),)
        with closing(self.rows.execute("SELECT built FROM texts WHERE key = ?", asked)) as found:
            row = found.fetchone()
        return _read(row[0]) if row else None

    def keep(
        self, spec: Spec, tokens: Tokens, problem: str, steps: Sequence[str], texts: Sequence[Built]
    ) -> None:
        """Keep a solution's texts."""
        row = (_key(spec, tokens, problem, steps), _written(texts))
        self.rows.execute("INSERT OR REPLACE INTO texts VALUES (?, ?)", row)

    def close(self) -> None:
        self.rows.close()


def _key(spec: Spec, tokens: Tokens, problem: str, steps: Sequence[str]) -> bytes:
    told = json.dumps([spec.digest, tokens.digest, problem, list(steps)])
    return sha256(told.encode()).digest()


def _written(texts: Sequence[Built]) -> bytes:
    """A line of JSON without the ids, then the ids of all texts as 32-bit numbers."""
    line = json.dumps([[len(text.ids), *text[1:]] for text in texts])
    ids = np.concatenate([np.asarray(text.ids, "<i4") for text in texts])
    return line.encode() + b"\n" + ids.tobytes()


def _read(stored: bytes) -> list[Built]:
    line, _, rest = stored.partition(b"\n")
    ids, found, at = np.frombuffer(rest, "<i4").tolist(), [], 0
    for n, *others in json.loads(line):
        found.append(Built(ids[at : at + n], *others))
        at += n
    return found
