"""What a datasheet is written from: everything a release knows of itself, as numbers and names. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from annotator.core.labels import ERROR_TYPES

AGREEMENT: Final = {
    "alpha": "Krippendorff's alpha, nominal, by step",
    "gwet_ac1": "Gwet's AC1, by step",
    "fleiss_kappa": "Fleiss' kappa, by step",
    "percent": "the same label, of pairs of judgements",
    "first_error": "the same first error",
    "wrong_steps": "the same set of wrong steps",
}
PULL: Final = {
    "items": "reviews with a label changed",
    "towards": "moved to the machine, of steps judged otherwise before",
    "away": "moved away from it, of steps judged the same before",
    "spoiled": "turned wrong, of steps that were right by the decision of others",
    "mended": "turned right, of steps that were wrong by the decision of others",
}


class Measure(NamedTuple):
    """A number with its 95 % interval. value, low, high: None where undefined, and then `why`. `n`: what it was
    computed from. is_share: 0..1, shown in percent."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    why: str = ""
    is_share: bool = True


@dataclass
class Facts:
    """Everything the cards say. JSON values but for the measures.

    manifest: Manifest.as_json() of the release.  settings: of the project, name -> value in words.
    people: how many reviewers labelled what is in the release.  hours: theirs, over the project; None: no time
    was recorded.  first_day, last_day: of their labels, "" for none.  machines: {rater, spec, digest, solutions}.
    sources: {format, files, licence ("" where not stated), solutions}, an import each.  decisions, causes:
    name -> number over the project.  agreement: of people with each other.  machine_agreement: of people
    together with each machine; accuracy: on probes; acceptance: by kind; pull: of the machine.  Empty lists:
    not measured.  taken_down: problems whose text was emptied.  note: the lead's words.
    """

    manifest: Mapping[str, Any]
    title: str = ""
    note: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    people: int = 0
    hours: float | None = None
    first_day: str = ""
    last_day: str = ""
    machines: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Mapping[str, Any]] = ()
    decisions: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, int] = field(default_factory=dict)
    agreement: Sequence[Measure] = ()
    machine_agreement: Sequence[Measure] = ()
    accuracy: Sequence[Measure] = ()
    acceptance: Sequence[Measure] = ()
    pull: Sequence[Measure] = ()
    taken_down: int = 0

    @property
    def counts(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifest["counts"]
        return found

    @property
    def licences(self) -> list[str]:
        """The licences stated for what came in, sorted; [] where any of it has none."""
        stated = {str(source["licence"]) for source in self.sources}
        return sorted(stated) if "" not in stated else []


def kind_titles(own: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Code -> title, of PRMBench's error types and of a project's own; its own win."""
    usual = {kind.code: kind.title for kind in ERROR_TYPES}
    return usual | {kind["code"]: kind["title"] for kind in own}
