"""What a release says of itself: facts in, sections of text and tables out; cards only lay them out. Pure.

What was not measured is said so, never guessed: a number that is None is shown as "–" or "not measured".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from annotator.core.findings import CODES
from annotator.core.labels import ERROR_TYPES

NOT_MEASURED: Final = "not measured"
ANY: Final = "any"
NARROWS: Final = ("kinds", "protocols", "raters")  # members of a rule that choose nothing when empty
LIMITS: Final = "Known limits"
SUM_SHOWN: Final = 16
NOT_STATED: Final = "not stated"
LABELS: Final = {"+": "right", "0": "neutral", "-": "wrong", "?": "unsure", ".": "not judged"}
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
CAUSES: Final = {
    "ambiguous": "the step is ambiguous",
    "guideline_gap": "the guidelines leave it open",
    "reviewer_error": "a reviewer was wrong",
    "broken_problem": "the problem is broken",
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


class Bar(NamedTuple):
    """What a chart shows of a row: a point between two ends, or a bar from 0 (low == 0, at == high). 0..100."""

    low: float
    at: float
    high: float


class Table(NamedTuple):
    """Rows of text under `head`; `bars`, if any, has one for each row, None where there is nothing to draw."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[Bar | None] = ()


class Section(NamedTuple):
    title: str
    text: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


def sections(facts: Facts) -> list[Section]:
    """All sections of a datasheet, in order. Every one is always there: an empty one says what is missing."""
    return [
        _what(facts), _contents(facts), _chosen(facts), _people(facts), _machines(facts), _agreement(facts),
        _accuracy(facts), _acceptance(facts), _decisions(facts), _findings(facts),
        Section(LIMITS, limits(facts)), _sources(facts), _files(facts),
    ]  # fmt: skip


def summary(facts: Facts) -> str:
    """One sentence for whoever lists data sets."""
    counts = facts.counts
    made_by = _n(facts.people, "reviewer") if facts.people else "no reviewer"
    return (
        f"{_n(counts['solutions'], 'solution')} of {_n(counts['groups'], 'problem group')} with a label for each of "
        f"{_n(counts['steps'], 'step')}, reviewed by {made_by}."
    )


def limits(facts: Facts) -> list[str]:
    """What whoever uses the release should know, drawn from the facts."""
    counts, found = facts.counts, []
    open_steps = counts["steps"] - counts["verified_steps"]
    if open_steps:
        found.append(
            f"{_n(open_steps, 'step')} of {counts['steps']:,} carry a label that no person gave by an act on that very "
            "step; the member “verified” says which."
        )
    if not facts.people:
        found.append("No person has labelled any of these solutions.")
    undecided = sum(n for name, n in counts["decisions"].items() if name not in ("agreed", "settled"))
    if undecided:
        found.append(f"{_n(undecided, 'solution')} with labels that reviewers have not agreed on.")
    for measures, of in (
        (facts.agreement, "how far reviewers agree"),
        (facts.accuracy, "how often reviewers are right on probes"),
        (facts.acceptance, "what share of each kind a random sample bears out"),
    ):
        if not any(one.value is not None for one in measures):
            found.append(f"Not measured: {of}.")
    if counts["under_bar"]:
        names = ", ".join(facts.kinds.get(kind, kind) for kind in counts["under_bar"])
        found.append(f"Left out because their acceptance rate is under the project's bar: {names}.")
    if counts["findings"]:
        found.append(f"{_n(sum(counts['findings'].values()), 'finding')} of checks left in what is released.")
    if not facts.licences:
        found.append("The licence of some of the sources is not stated: ask before you pass it on.")
    if facts.taken_down:
        found.append(f"{_n(facts.taken_down, 'problem')} taken down; the texts are gone for good.")
    found.append("Agreement, accuracy and acceptance are of the whole project when the release was made.")
    return found


def _what(facts: Facts) -> Section:
    manifest = facts.manifest
    known = [
        ("Release", f"{manifest['project']} {manifest['name']}"),
        ("Digest", str(manifest["digest"])),
        ("Labelled", _span(facts)),
        ("Licence", ", ".join(facts.licences) or NOT_STATED),
    ]
    same = "The same data and the same rule give the same digest; the files never change."
    return Section("What this is", [summary(facts), *([facts.note] if facts.note else []), same], known)


def _span(facts: Facts) -> str:
    if facts.first_day == facts.last_day:
        return facts.first_day or NOT_STATED
    return f"{facts.first_day} to {facts.last_day}"


def _contents(facts: Facts) -> Section:
    counts = facts.counts
    known = [
        ("Solutions", f"{counts['solutions']:,}"),
        ("Problem groups", f"{counts['groups']:,}"),
        ("Steps", f"{counts['steps']:,}"),
        ("Steps verified by a person", _of(counts["verified_steps"], counts["steps"])),
        ("Solutions verified to the end", _of(counts["verified_solutions"], counts["solutions"])),
        ("Left out", f"{sum(int(one['n']) for one in counts['left_out'].values()):,}"),
    ]
    kinds = {facts.kinds.get(kind, kind) or "no kind": n for kind, n in counts["kinds"].items()}
    why = {name: int(one["n"]) for name, one in counts["left_out"].items()}
    tables = [
        _counted(
            "Labels of steps", "Label", {LABELS.get(name, name): n for name, n in counts["labels"].items()}
        ),
        _counted("Solutions by kind of injected error", "Kind", kinds),
        _counted("Solutions by split; a problem group is in one split", "Split", counts["splits"]),
        _counted("What stays out", "Why", why),
    ]
    return Section("What is in it", (), known, [table for table in tables if table.rows])


def _chosen(facts: Facts) -> Section:
    rule = [
        (
            name.replace("_", " "),
            _said(value) if value not in ([], {}) else ANY if name in NARROWS else "none",
        )
        for name, value in facts.manifest["rule"].items()
    ]
    tables = [
        Table("The rule of this release", ("Member", "Value"), rule),
        Table("Settings of the project", ("Setting", "Value"), list(facts.settings.items())),
    ]
    told = "Every label in the records says by which guidelines it was made, and what its rater saw before."
    return Section("How it was chosen and made", [told], (), tables)


def _people(facts: Facts) -> Section:
    reviewers = facts.manifest["reviewers"]
    versions = facts.manifest["guideline_versions"]
    known = [
        ("Reviewers", f"{facts.people:,}" if facts.people else "none"),
        ("Time on the project", f"{facts.hours:,.1f} hours" if facts.hours is not None else NOT_MEASURED),
        ("Guidelines", ", ".join(f"version {one}" for one in versions) or "none"),
    ]
    text = (
        ["Reviewers have names of this release alone, which say nothing of who they are."]
        if reviewers
        else []
    )
    if versions:
        text.append("The guidelines they worked by lie beside this file, in guidelines/.")
    return Section(
        "People",
        text,
        known,
        [_counted("Solutions labelled, by reviewer", "Reviewer", reviewers)] if reviewers else [],
    )


def _machines(facts: Facts) -> Section:
    if not facts.machines:
        return Section("Machines", ["No labels of machines are in it."])
    rows = [
        (
            str(one["rater"]),
            f"{one['solutions']:,}",
            _said(one["spec"] or NOT_STATED),
            str(one["digest"])[:16] or "–",
        )
        for one in facts.machines
    ]
    head = ("Rater", "Solutions", "Model, prompt and settings", "Digest")
    table = Table("Labels of machines stand beside those of people", head, rows)
    return Section(
        "Machines",
        (),
        (),
        [
            table,
            *_measured("People together beside each machine (kappa)", facts.machine_agreement),
            *_measured("The pull of the machine: what seeing its labels changed", facts.pull),
        ],
    )


def _agreement(facts: Facts) -> Section:
    tables = _measured("Reviewers with each other, on what they said blind", facts.agreement)
    return _or_nothing("Agreement", tables, ["95 % intervals by bootstrap over problem groups."])


def _accuracy(facts: Facts) -> Section:
    tables = _measured("Reviewers on probes, items with settled gold given unseen", facts.accuracy)
    return _or_nothing("Accuracy", tables, ["Shares with Wilson's 95 % intervals."])


def _acceptance(facts: Facts) -> Section:
    tables = _measured("Of a random sample of each kind: what is as claimed", facts.acceptance)
    return _or_nothing("Acceptance", tables, ["Shares with Wilson's 95 % intervals."])


def _decisions(facts: Facts) -> Section:
    tables = [
        _counted("Decisions over the project", "Decision", facts.decisions),
        _counted(
            "Why a lead had to settle", "Cause", {CAUSES.get(one, one): n for one, n in facts.causes.items()}
        ),
    ]
    return _or_nothing("Decisions", [table for table in tables if table.rows], ())


def _findings(facts: Facts) -> Section:
    left = {CODES[code].title if code in CODES else code: n for code, n in facts.counts["findings"].items()}
    if not left:
        return Section("Findings left", ["Checks find nothing in what is released."])
    return Section("Findings left", (), (), [_counted("Solutions with such a finding", "Finding", left)])


def _sources(facts: Facts) -> Section:
    rows = [
        (str(one["files"]), str(one["format"]), f"{one['solutions']:,}", str(one["licence"]) or NOT_STATED)
        for one in facts.sources
    ]
    if not rows:
        return Section("Where it comes from", ["Nothing says where it came from."])
    head = ("Files", "Format", "Solutions in the project", "Licence")
    return Section("Where it comes from", (), (), [Table("What came in", head, rows)])


def _files(facts: Facts) -> Section:
    rows = [
        (
            str(one["name"]),
            str(one["format"]) or "–",
            "–" if one["n"] is None else f"{one['n']:,}",
            str(one["sha256"])[:SUM_SHOWN],
        )
        for one in facts.manifest["files"]
    ]
    return Section(
        "Files",
        ["manifest.json has the sums in full, and croissant.json the types of the records' members."],
        (),
        [Table("Files", ("File", "Format", "Records", "sha256 begins"), rows)],
    )


def _or_nothing(title: str, tables: Sequence[Table], text: Sequence[str]) -> Section:
    return Section(title, text, (), tables) if tables else Section(title, [f"{NOT_MEASURED.capitalize()}."])


def _counted(caption: str, name: str, counts: Mapping[str, int]) -> Table:
    whole = sum(counts.values())
    rows = [(str(one), f"{n:,}", _share(n, whole)) for one, n in counts.items()]
    bars = [Bar(0, 100 * n / whole, 100 * n / whole) if whole else None for n in counts.values()]
    return Table(caption, (name, "Number", "Share"), rows, bars)


def _measured(caption: str, measures: Sequence[Measure]) -> list[Table]:
    if not measures:
        return []
    rows = [(one.name, shown(one), "–" if one.n is None else f"{one.n:,}") for one in measures]
    return [Table(caption, ("What", "Value and interval", "n"), rows, [_bar(one) for one in measures])]


def shown(one: Measure) -> str:
    """ "0.61 (0.55 to 0.66)", "61.0 % (55.0 to 66.0)", or "–" with the reason."""
    if one.value is None:
        return f"– ({one.why})" if one.why else "–"
    scale, digits, unit = (100, 1, "\N{NO-BREAK SPACE}%") if one.is_share else (1, 2, "")
    ends = ""
    if one.low is not None and one.high is not None:
        ends = f" ({scale * one.low:.{digits}f} to {scale * one.high:.{digits}f})"
    return f"{scale * one.value:.{digits}f}{unit}{ends}"


def _bar(one: Measure) -> Bar | None:
    if one.value is None:
        return None
    low, high = (one.value if end is None else end for end in (one.low, one.high))
    return Bar(*(100 * min(1.0, max(0.0, end)) for end in (low, one.value, high)))


def _said(value: Any) -> str:
    """A JSON value in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_said(one)}" for name, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value) or "–"
    if value is None or value == "":
        return "–"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({_share(part, whole)})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}\N{NO-BREAK SPACE}%" if whole else "–"


def _n(n: int, word: str) -> str:
    return f"{n:,} {word}{'s' * (n != 1)}"


def kind_titles(own: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Code -> title, of PRMBench's error types and of a project's own; its own win."""
    usual = {kind.code: kind.title for kind in ERROR_TYPES}
    return usual | {kind["code"]: kind["title"] for kind in own}
