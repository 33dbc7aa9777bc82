"""What a release is made of, as a rule: read from JSON, checked once, written back the same. Pure.

which            gold: what reviewers agreed on or a lead settled.  verified: gold of which people have acted on
                 every step up to the stop.  all: every solution, with its gold, or else the labels that it came
                 with.  KIND:NAME: every solution that this rater has labelled, with those labels.
kinds            error types; none: all.  protocols: of items; none: all
min_raters       so many reviewers have submitted (0: any number); with `raters`, so many of those
raters           KIND:NAME: whose annotations stand beside the labels; none: everybody's
options          neutral, redundant, after_first_error: what foreign formats do with labels (formats.options);
                 Plumbline's own records have them as they were given
formats          foreign formats to write beside Plumbline's own records
splits           name -> share, of problem groups; none: one part
seed             deals the groups to the splits
include_retired  retired items too
drop_findings    codes: solutions with such a finding stay out
parquet          the records as Parquet too, which needs pyarrow
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from annotator.core.sampling import place

GOLD: Final = "gold"
VERIFIED: Final = "verified"
ALL: Final = "all"
CHOICES: Final = (GOLD, VERIFIED, ALL)
OPTIONS: Final = ("neutral", "redundant", "after_first_error")
MOST_SPLITS: Final = 10
MOST_RATERS: Final = 1000
_SPLIT: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED: Final = frozenset({"all"})  # which data set libraries take for every split together
_CLOSE: Final = 1e-6
_PLACES: Final = 1 << 128  # core.sampling.place gives numbers below this


class BadRule(ValueError):
    """A rule that cannot be; `field` is the member's name, "" for the rule as a whole."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True)
class Known:
    """The names that a rule may use."""

    kinds: Collection[str]
    protocols: Collection[str]
    formats: Collection[str]
    findings: Collection[str]


@dataclass(frozen=True)
class Rule:
    """A checked rule; lists without order are sorted, so that the same rule is written the same."""

    which: str = GOLD
    kinds: tuple[str, ...] = ()
    min_raters: int = 0
    raters: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    splits: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    include_retired: bool = False
    drop_findings: tuple[str, ...] = ()
    parquet: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return it as it is read; `read(rule.as_json(), known) == rule`."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in found.items()}

    def split_of(self, group: str, one: str) -> str:
        """Return the split of a problem group, `one` where there is only one part.

        A group's place depends on the seed and its name alone, so what joins later moves nothing.
        """
        if not self.splits:
            return one
        at, reached = place(self.seed, group) / _PLACES, 0.0
        for name, share in self.splits.items():
            reached += share
            if at < reached:
                return name
        return list(self.splits)[-1]


def read(given: Any, known: Known) -> Rule:
    """Return the checked rule. Members left out, null or "" are as Rule has them.

    Raises BadRule, naming the member.
    """
    if not isinstance(given, Mapping):
        raise BadRule("", f"The rule must be an object of members, not {_kind(given)}.")
    strange = next((name for name in given if name not in READERS), None)
    if strange is not None:
        raise BadRule(str(strange), f"There is no such member; they are {', '.join(READERS)}.")
    named = {name: value for name, value in given.items() if value is not None and value != ""}
    return Rule(**{name: READERS[name](value, name, known) for name, value in named.items()})


def _which(value: Any, name: str, known: Known) -> str:
    if isinstance(value, str) and (value in CHOICES or _is_rater(value)):
        return value
    raise BadRule(name, f"Choose {', '.join(CHOICES)} or a rater as KIND:NAME, not {value!r}.")


def _raters(value: Any, name: str, known: Known) -> tuple[str, ...]:
    found = _texts(value, name)
    bad = next((one for one in found if not _is_rater(one)), None)
    if bad is not None:
        raise BadRule(name, f"Name each rater as KIND:NAME, not {bad!r}.")
    return found


def _is_rater(value: str) -> bool:
    kind, colon, rater = value.partition(":")
    return bool(kind and colon and rater)


def _among(of: str, word: str) -> Callable[[Any, str, Known], tuple[str, ...]]:
    def check(value: Any, name: str, known: Known) -> tuple[str, ...]:
        able = getattr(known, of)
        found = _texts(value, name)
        bad = next((one for one in found if one not in able), None)
        if bad is not None:
            there = f"there are {', '.join(sorted(able))}" if able else "there is none here"
            raise BadRule(name, f"There is no {word} {bad!r}; {there}.")
        return found

    return check


def _texts(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
        raise BadRule(name, f"Must be a list of names, not {value!r}.")
    if len(value) > MOST_RATERS:
        raise BadRule(name, f"Names {len(value)}; {MOST_RATERS} is the most.")
    return tuple(sorted(set(value)))


def _options(value: Any, name: str, known: Known) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadRule(name, f"Must be an object, not {_kind(value)}.")
    strange = next((one for one in value if one not in OPTIONS), None)
    if strange is not None:
        raise BadRule(name, f"There is no option {strange!r}, only {', '.join(OPTIONS)}.")
    kept = {one: value[one] for one in OPTIONS if value.get(one)}
    bad = next((one for one, chosen in kept.items() if not isinstance(chosen, str)), None)
    if bad is not None:
        raise BadRule(name, f"{bad} must be a word, not {kept[bad]!r}.")
    return kept


def _splits(value: Any, name: str, known: Known) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise BadRule(name, f"Must map each split to its share, not {value!r}.")
    if len(value) > MOST_SPLITS:
        raise BadRule(name, f"{len(value)} splits; {MOST_SPLITS} is the most.")
    for split, share in value.items():
        if not isinstance(split, str) or not _SPLIT.fullmatch(split) or split in _RESERVED:
            raise BadRule(
                name, f"A split is named by lower-case letters, digits and _, and not all: {split!r}."
            )
        if type(share) not in (int, float) or not math.isfinite(share) or not 0 < share <= 1:
            raise BadRule(name, f"The share of {split} must be above 0 and at most 1, not {share!r}.")
    if value and abs(sum(value.values()) - 1) > _CLOSE:
        raise BadRule(name, f"The shares must add up to 1, not {sum(value.values()):g}.")
    return {split: float(share) for split, share in sorted(value.items())}


def _number(least: int | None) -> Callable[[Any, str, Known], int]:
    def check(value: Any, name: str, known: Known) -> int:
        if type(value) is not int or (least is not None and value < least) or abs(value) >= 2**63:
            from_ = "" if least is None else f" from {least}"
            raise BadRule(name, f"Must be a whole number{from_}, not {value!r}.")
        return value

    return check


def _bool(value: Any, name: str, known: Known) -> bool:
    if type(value) is not bool:
        raise BadRule(name, f"Must be true or false, not {value!r}.")
    return value


READERS: Final[dict[str, Callable[[Any, str, Known], Any]]] = {
    "which": _which,
    "kinds": _among("kinds", "error type"),
    "min_raters": _number(0),
    "raters": _raters,
    "protocols": _among("protocols", "protocol"),
    "options": _options,
    "formats": _among("formats", "format"),
    "splits": _splits,
    "seed": _number(None),
    "include_retired": _bool,
    "drop_findings": _among("findings", "finding"),
    "parquet": _bool,
}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "null"}.get(type(value), type(value).__name__)
