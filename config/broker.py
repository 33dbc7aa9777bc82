"""The folder broker, with messages that appear whole.

kombu opens a message's file under its name and writes it after that: a worker that looks in between takes an empty
file, cannot read it, and stops with an unrecoverable error. Here it is written beside and then given its name.
"""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        """Names begin with the time, as kombu's do: the oldest is taken first. A part left by a killed process is
        never taken for a message."""
        name = f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        path = Path(self.data_folder_out) / name
        part = path.with_name(f".{name}.part")
        part.write_text(dumps(payload))  # type: ignore[no-untyped-call]
        part.replace(path)


class Transport(filesystem.Transport):
    Channel = Channel


def use() -> None:
    """What `filesystem://` in a broker's address means from now on."""
    TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"
