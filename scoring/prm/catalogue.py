"""The reward models we know how to run: scoring/prm/catalogue.toml, checked as it is read.

A model belongs to a family; a family has variants, since a model card, PRMBench and ProcessBench write the same
solution differently. What a model sets itself stands over its family, what a variant sets over both, and a variant may
be like another of its family.
"""

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


def entry(name: str) -> Entry:
    """The entry of that name or hub id, upper or lower case. Raises CatalogueError."""
    for each in load().values():
        if name.lower() in (each.name, each.hub.lower()):
            return each
    raise CatalogueError(f"No model {name} in the catalogue.", field="model")


@cache
def load(path: Path = FILE) -> dict[str, Entry]:
    """Every entry by name, in the file's order. Raises CatalogueError at the first thing that is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    _only(data, ("families", "models"), path.name)
    families = data.get("families", {})
    entries: dict[str, Entry] = {}
    for at, raw in enumerate(data.get("models", [])):
        where = f"{path.name}: {raw.get('name') or f'models[{at}]'}"
        made = _entry(raw, families, where)
        if made.name in entries:
            raise CatalogueError(f"{where}: name: it is there twice.")
        entries[made.name] = made
    return entries


def _entry(raw: Table, families: Table, where: str) -> Entry:
    family = families.get(raw.get("family", ""))
    if family is None:
        raise CatalogueError(f"{where}: family: no family {raw.get('family', '')!r} in the file.")
    own = {key: value for key, value in raw.items() if key != "sets"}
    common = _merged({key: value for key, value in family.items() if key != "variants"}, raw.get("sets", {}))
    written = family.get("variants", {})
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


def _merged(under: Table, over: Table) -> dict[str, Any]:
    """A channel is replaced by the one of its name, all else by what has its name."""
    channels = {**under.get("channels", {}), **over.get("channels", {})}
    return {**under, **over, "channels": channels}


def _only(table: Table, known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise CatalogueError(f"{where}: {key}: not known here.")
