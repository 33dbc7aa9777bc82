"""The reward models we know how to run: scoring/prm/catalogue.toml, checked as it is read.

A model belongs to a family; a family has variants, since a model card, PRMBench and ProcessBench write the same
solution differently. What a model sets itself stands over its family, what a variant sets over both, and a variant may
be like another of its family.
"""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from annotator.errors import Invalid
from scoring.prm.spec import Frozen, Spec

FILE: Final = Path(__file__).resolve().with_name("catalogue.toml")
Table = Mapping[str, Any]
Made = TypeVar("Made", bound=Frozen)


class CatalogueError(Invalid):
    """The catalogue is wrong, or has no such entry. Its message names file, entry and field."""

    code = "catalogue"


class Entry(Frozen):
    """A model that has been published. hub: where its weights are, "" where nowhere. published: what the papers' tables
    call it. reference: hub id of the second model that a log ratio needs. default: the variant taken where none is
    named."""

    name: str
    title: str
    published: tuple[str, ...] = ()
    hub: str
    family: str
    licence: str
    reference: str = ""
    default: str
    note: str = ""
    variants: dict[str, Spec]

    def variant(self, name: str = "") -> Spec:
        """The spec of a variant, of the default one for "". Raises CatalogueError naming those there are."""
        found = self.variants.get(name or self.default)
        if found is None:
            known = ", ".join(self.variants)
            raise CatalogueError(f"{self.name} has no variant {name}; it has {known}.", field="variant")
        return found


def entry(name: str, *more: Path) -> Entry:
    """The entry of that name or hub id, upper or lower case. Raises CatalogueError."""
    for each in load(FILE, *more).values():
        if name.lower() in (each.name.lower(), each.hub.lower()):
            return each
    raise CatalogueError(f"No model {name} in the catalogue.", field="model")


def of_folder(folder: Path, *more: Path) -> Entry:
    """An entry of the family that a folder's config.json is of. Raises CatalogueError where several or none are: then
    somebody has to say which."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{folder}: no config.json that can be read: {error}", field="model") from error
    fitting: dict[str, list[Entry]] = {}
    for each in load(FILE, *more).values():
        spec = each.variant()
        named = set(config.get("architectures") or []) & set(spec.architectures)
        if named and config.get("model_type") == spec.backbone:
            fitting.setdefault(each.family, []).append(each)
    if len(fitting) == 1:
        return next(iter(fitting.values()))[0]
    names = " or ".join(found[0].name for found in fitting.values()) or "no model of the catalogue"
    raise CatalogueError(f"{folder} could be like {names}: say which model it is like.", field="model")


def load(*files: Path) -> dict[str, Entry]:
    """Every entry by name, in the files' order; ours for none. A file may use families of those before it. Read once a
    process. Raises CatalogueError at the first thing that is wrong."""
    return _load(files or (FILE,))


@cache
def _load(files: tuple[Path, ...]) -> dict[str, Entry]:
    families: dict[str, Any] = {}
    entries: dict[str, Entry] = {}
    for file in files:
        data = _read(file)
        for name, family in data.get("families", {}).items():
            _table(
                _table(family, f"{file.name}: families.{name}").get("variants", {}),
                f"{file.name}: {name}.variants",
            )
            if name in families:
                raise CatalogueError(f"{file.name}: families.{name}: it is there already.")
        families |= data.get("families", {})
        for at, raw in enumerate(data.get("models", [])):
            name = raw.get("name") if isinstance(raw, Mapping) else None
            where = f"{file.name}: {name or f'models[{at}]'}"
            made = _entry(raw, families, where)
            if made.name in entries:
                raise CatalogueError(f"{where}: name: it is there twice.")
            entries[made.name] = made
    return entries


def _read(file: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{file.name}: {error}") from error
    for key, kind in (("families", dict), ("models", list)):
        if not isinstance(data.get(key, kind()), kind):
            raise CatalogueError(f"{file.name}: {key}: written as [families.NAME] and [[models]].")
    for key in set(data) - {"families", "models"}:
        raise CatalogueError(f"{file.name}: {key}: not known here.")
    return data


def _entry(raw: Table, families: Table, where: str) -> Entry:
    family = families.get(str(_table(raw, where).get("family", "")))
    if family is None:
        raise CatalogueError(f"{where}: family: no family {raw.get('family', '')!r} in the file.")
    own = {key: value for key, value in raw.items() if key != "sets"}
    common = _merged(
        {key: value for key, value in family.items() if key != "variants"},
        _table(raw.get("sets", {}), f"{where}: sets"),
    )
    written = {key: _table(value, f"{where}: {key}") for key, value in family.get("variants", {}).items()}
    specs = {name: _spec(name, written, common, raw.get("name", ""), f"{where}: {name}") for name in written}
    made = _checked(Entry, {**own, "variants": specs}, where)
    if made.default not in specs:
        raise CatalogueError(f"{where}: default: no variant {made.default!r} in its family.")
    if bool(made.reference) != (made.variant().kind == "log_ratio"):
        raise CatalogueError(f"{where}: reference: named where, and only where, the kind is log_ratio.")
    return made


def _spec(name: str, written: Table, common: Table, model: str, where: str) -> Spec:
    chain, seen = [dict(written[name])], {name}
    while like := chain[-1].pop("like", None):
        if like not in written or like in seen:
            raise CatalogueError(f"{where}: like: no variant {like!r} to be like.")
        seen.add(like)
        chain.append(dict(written[like]))
    merged = dict(common)
    for table in reversed(chain):
        merged = _merged(merged, table)
    return _checked(Spec, {**merged, "model": model, "variant": name}, where)


def _checked(kind: type[Made], values: Table, where: str) -> Made:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise CatalogueError(f"{where}: {f'{field}: ' if field else ''}{said}") from error


def _table(value: Any, where: str) -> Table:
    if not isinstance(value, Mapping):
        raise CatalogueError(f"{where}: this is a table.")
    return value


def _merged(under: Table, over: Table) -> dict[str, Any]:
    """A channel is replaced by the one of its name, all else by what has its name."""
    tables = [_table(each.get("channels", {}), "channels") for each in (under, over)]
    channels = {**tables[0], **tables[1]}
    return {**under, **over, "channels": channels}
