"""The tensors of a model folder by name, without loading the folder: safetensors, or PyTorch files read with
`weights_only`, whole or in parts. Never code from the folder."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError  # only the error: nothing is unpickled here
from typing import Any

from annotator.errors import Invalid

Tensor = Any
SAFE = ("model.safetensors", "model.safetensors.index.json")
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")


class Weights:
    """What lies in `folder`. Raises Invalid, naming the folder, where no weights are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened: dict[str, Any] = {}
        self.files = self._files()

    def _files(self) -> dict[str, str]:
        """Tensor name -> file name."""
        for whole, parts in (SAFE, PICKLED):
            if (self.folder / parts).is_file():
                return _index(self.folder / parts)
            if (self.folder / whole).is_file():
                return dict.fromkeys(self._names(whole), whole)
        raise Invalid(f"{self.folder}: no model.safetensors and no pytorch_model.bin there.", field="model")

    def _names(self, file: str) -> list[str]:
        return list(self._open(file).keys())

    def _open(self, file: str) -> Any:
        if file not in self.opened:
            read = _safe if file.endswith(".safetensors") else _pickled
            self.opened[file] = read(self.folder / file)
        return self.opened[file]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.files)

    def read(self, name: str, rows: Sequence[int] | None = None) -> Tensor:
        """A tensor as it is stored; with `rows`, only these of it. Raises Invalid where it is not there."""
        if name not in self.files:
            raise Invalid(f"{self.folder}: no weights named {name}.", field="model")
        file = self._open(self.files[name])
        if name not in file.keys():  # noqa: SIM118  (a safetensors file is no mapping)
            raise Invalid(f"{self.folder / self.files[name]}: no weights named {name}.", field="model")
        if not self.files[name].endswith(".safetensors"):
            return file[name] if rows is None else file[name][list(rows)]
        if rows is None:
            return file.get_tensor(name)
        import torch

        part = file.get_slice(name)
        n = part.get_shape()[0]
        outside = [row for row in rows if not 0 <= row < n]
        if outside:
            raise Invalid(f"{self.folder}: {name} has {n} rows, none numbered {outside[0]}.", field="model")
        return torch.cat([part[row : row + 1] for row in rows])


def _index(path: Path) -> dict[str, str]:
    """Tensor name -> file name, of files beside the index only."""
    try:
        found: dict[str, str] = json.loads(path.read_text())["weight_map"]
        if all(Path(file).name == file for file in found.values()):
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as refused:
        told = f"{type(refused).__name__}: {refused}"
        raise Invalid(f"{path}: no index that can be read: {told}", field="model") from refused
    raise Invalid(f"{path}: its weight_map names files that are not beside it.", field="model")


def _safe(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError) as refused:
        raise _no_tensors(path, refused) from refused


def _pickled(path: Path) -> Any:
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (OSError, RuntimeError, UnpicklingError) as refused:
        raise _no_tensors(path, refused) from refused
    if not isinstance(found, dict):
        raise Invalid(f"{path}: a {type(found).__name__}, not tensors by name.", field="model")
    return found


def _no_tensors(path: Path, refused: Exception) -> Invalid:
    told = (str(refused).splitlines() or [type(refused).__name__])[0]
    return Invalid(f"{path}: tensors cannot be read from it, and nothing else will be: {told}", field="model")
