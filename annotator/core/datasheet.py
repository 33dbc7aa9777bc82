"""What a release says of itself: facts in, sections of text and tables out; cards only lay them out. Pure."""

from typing import Final

from annotator.core.datasheet_facts import Facts
from annotator.core.datasheet_limits import limits, summary
from annotator.core.datasheet_tables import (
    NOT_MEASURED,
    Section,
    Table,
    counted,
    in_words,
    measured,
    or_nothing,
    part_of,
)
from annotator.core.findings import CODES

ANY: Final = "any"
NARROWS: Final = ("kinds", "protocols", "raters")  # members of a rule that choose nothing when empty
LIMITS: Final = "Known limits"
SUM_SHOWN: Final = 16
NOT_STATED: Final = "not stated"
LABELS: Final = {"+": "right", "0": "neutral", "-": "wrong", "?": "unsure", ".": "not judged"}
CAUSES: Final = {
    "ambiguous": "the step is ambiguous",
    "guideline_gap": "the guidelines leave it open",
    "reviewer_error": "a reviewer was wrong",
    "broken_problem": "the problem is broken",
}


def sections(facts: Facts) -> list[Section]:
    """All sections of a datasheet, in order. Every one is always there: an empty one says what is missing."""
    return [
        _what(facts), _contents(facts), _chosen(facts), _people(facts), _machines(facts), _agreement(facts),
        _accuracy(facts), _acceptance(facts), _decisions(facts), _findings(facts),
        Section(LIMITS, limits(facts)), _sources(facts), _files(facts),
    ]  # fmt: skip


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
        ("Steps verified by a person", part_of(counts["verified_steps"], counts["steps"])),
        ("Solutions verified to the end", part_of(counts["verified_solutions"], counts["solutions"])),
        ("Left out", f"{sum(int(one['n']) for one in counts['left_out'].values()):,}"),
    ]
    kinds = {facts.kinds.get(kind, kind) or "no kind": n for kind, n in counts["kinds"].items()}
    why = {name: int(one["n"]) for name, one in counts["left_out"].items()}
    tables = [
        counted(
            "Labels of steps", "Label", {LABELS.get(name, name): n for name, n in counts["labels"].items()}
        ),
        counted("Solutions by kind of injected error", "Kind", kinds),
        counted("Solutions by split; a problem group is in one split", "Split", counts["splits"]),
        counted("What stays out", "Why", why),
    ]
    return Section("What is in it", (), known, [table for table in tables if table.rows])


def _chosen(facts: Facts) -> Section:
    rule = [
        (
            name.replace("_", " "),
            in_words(value) if value not in ([], {}) else ANY if name in NARROWS else "none",
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
        [counted("Solutions labelled, by reviewer", "Reviewer", reviewers)] if reviewers else [],
    )


def _machines(facts: Facts) -> Section:
    if not facts.machines:
        return Section("Machines", ["No labels of machines are in it."])
    rows = [
        (
            str(one["rater"]),
            f"{one['solutions']:,}",
            in_words(one["spec"] or NOT_STATED),
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
            *measured("People together beside each machine (kappa)", facts.machine_agreement),
            *measured("The pull of the machine: what seeing its labels changed", facts.pull),
        ],
    )


def _agreement(facts: Facts) -> Section:
    tables = measured("Reviewers with each other, on what they said blind", facts.agreement)
    return or_nothing("Agreement", tables, ["95 % intervals by bootstrap over problem groups."])


def _accuracy(facts: Facts) -> Section:
    tables = measured("Reviewers on probes, items with settled gold given unseen", facts.accuracy)
    return or_nothing("Accuracy", tables, ["Shares with Wilson's 95 % intervals."])


def _acceptance(facts: Facts) -> Section:
    tables = measured("Of a random sample of each kind: what is as claimed", facts.acceptance)
    return or_nothing("Acceptance", tables, ["Shares with Wilson's 95 % intervals."])


def _decisions(facts: Facts) -> Section:
    tables = [
        counted("Decisions over the project", "Decision", facts.decisions),
        counted(
            "Why a lead had to settle", "Cause", {CAUSES.get(one, one): n for one, n in facts.causes.items()}
        ),
    ]
    return or_nothing("Decisions", [table for table in tables if table.rows], ())


def _findings(facts: Facts) -> Section:
    left = {CODES[code].title if code in CODES else code: n for code, n in facts.counts["findings"].items()}
    if not left:
        return Section("Findings left", ["Checks find nothing in what is released."])
    return Section("Findings left", (), (), [counted("Solutions with such a finding", "Finding", left)])


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
