"""Which reward models lie on this machine, and where: folders of MODELS_DIR named as their catalogue entries.

Pages offer these alone, so that nobody can have the server read another folder; a command may name any folder.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from annotator.errors import Invalid
from scoring.prm import catalogue
from scoring.prm.catalogue import Entry
from scoring.prm.spec import Spec

OWN = "catalogue.toml"  # in MODELS_DIR: entries of the operator's own
# What scores hang on beside the weights: how the model is built, and how its tokenizer parts a text.
SETTINGS = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "tokenizer.model",
)  # fmt: skip
END, BETWEEN, PLACES = 1024 * 1024, 64 * 1024, 64  # bytes of an end, of a place between, how many of those


class Chosen(NamedTuple):
    """A model as asked for: what it is, how it is read, where its weights lie; reference: of a log ratio, else None."""

    entry: Entry
    spec: Spec
    folder: Path
    reference: Path | None


def root() -> Path:
    return Path(settings.MODELS_DIR)


def more() -> tuple[Path, ...]:
    return (root() / OWN,) if (root() / OWN).is_file() else ()


def entries() -> dict[str, Entry]:
    """Every entry, the operator's own among them. Raises CatalogueError."""
    return catalogue.load(catalogue.FILE, *more())


def installed() -> list[Entry]:
    """The entries whose weights are here."""
    return [one for one in entries().values() if is_here(one)]


def is_here(entry: Entry) -> bool:
    names = [entry.name, *([_reference_name(entry)] if entry.reference else [])]
    return all((root() / name / "config.json").is_file() for name in names)


def find(model: str, variant: str = "", *, like: str = "", any_folder: bool = False) -> Chosen:
    """A model by its name in the catalogue or, where any_folder, by the path of its folder.

    like: for a folder, the entry that says how it is read; "": by its config.json. Raises Invalid with the field.
    """
    path = Path(model)
    if any_folder and (path / "config.json").is_file():
        entry = catalogue.entry(like, *more()) if like else catalogue.of_folder(path, *more())
        folder = path.resolve()
    else:
        entry = catalogue.entry(model, *more())
        folder = root() / entry.name
        if not is_here(entry):
            raise Invalid(_missing(entry, any_folder), field="model")
    reference = root() / _reference_name(entry) if entry.reference else None
    return Chosen(entry, entry.variant(variant), folder, reference)


def _reference_name(entry: Entry) -> str:
    return entry.reference.rpartition("/")[2]


def _missing(entry: Entry, any_folder: bool) -> str:
    where = f"the folder {entry.name}" if not any_folder else f"{root() / entry.name}"
    also = f" and {entry.reference} beside it" if entry.reference else ""
    return f"The weights of {entry.name} are not here. Put {entry.hub or 'them'} into {where} of MODELS_DIR{also}."


def fingerprint(folder: Path) -> str:
    """Tells two checkpoints apart without reading all of either: its settings and tokenizer whole, of its weights
    names, sizes, both ends and what lies between at even distances. Raises Invalid where a file cannot be read."""
    found = sha256()
    whole = [folder / name for name in SETTINGS if (folder / name).is_file()]
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    try:
        for path in [*whole, *weights]:
            found.update(f"{path.name} {path.stat().st_size}\n".encode())
            for part in [path.read_bytes()] if path in whole else _parts(path):
                found.update(part)
    except OSError as refused:
        raise Invalid(f"{path}: {refused.strerror}", field="model") from refused
    return found.hexdigest()


def _parts(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        for at in (0, *range(END, size, max(BETWEEN, size // PLACES)), max(0, size - END)):
            file.seek(at)
            yield file.read(END if at in (0, size - END) else BETWEEN)
