"""Store the ends of units so that one which cannot be stored fails alone. No Django here."""

import logging
from collections.abc import Sequence

from synth.calls import Ended, Failure, Storage

log = logging.getLogger(__name__)


def finish(storage: Storage, ended: Sequence[Ended]) -> None:
    """Store ends together; where that fails singly. Raises what storing even a failure raises."""
    try:
        storage.finish(ended)
    except Exception:
        log.exception("%s ends could not be stored together.", len(ended))
        for one in ended:
            _finish_one(storage, one)


def _finish_one(storage: Storage, one: Ended) -> None:
    try:
        storage.finish([one])
    except Exception as error:
        log.exception("The end of unit %s could not be stored.", one.unit)
        said = f"Its result could not be stored: {type(error).__name__}: {error}"[:1000]
        storage.finish([Ended(one.unit, Failure(said))])
