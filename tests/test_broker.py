"""The folder broker: a message is there whole or not at all."""

from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu.connection import Connection

from config import broker


def connection(folder: Path) -> Any:
    for name in ("queue", "control"):
        (folder / name).mkdir(exist_ok=True)
    options = {
        "data_folder_in": str(folder / "queue"), "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    }  # fmt: skip
    return Connection("filesystem://", transport_options=options)  # type: ignore[no-untyped-call]


def test_the_celery_app_uses_it(tmp_path: Path) -> None:
    assert isinstance(connection(tmp_path).transport, broker.Transport)


def test_a_worker_that_looks_while_it_is_written_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kombu's own leaves an empty file there for a moment, and its reader stops."""
    named, looked = Path.replace, list[Path]()
    with connection(tmp_path) as writes, connection(tmp_path) as reads:

        def look(part: Path, path: Path) -> Path:
            with pytest.raises(Empty):
                reads.default_channel._get("bells")
            looked.append(part)
            return named(part, path)

        monkeypatch.setattr(Path, "replace", look)
        writes.default_channel._put("bells", {"at": 1})
        assert len(looked) == 1
        assert reads.default_channel._get("bells") == {"at": 1}
        assert list((tmp_path / "queue").iterdir()) == []


def test_what_a_killed_writer_left_is_no_message(tmp_path: Path) -> None:
    with connection(tmp_path) as at:
        (tmp_path / "queue" / ".1_x.bells.msg.part").write_bytes(b"{")
        at.default_channel._put("bells", {"at": 1})
        assert at.default_channel._get("bells") == {"at": 1}
