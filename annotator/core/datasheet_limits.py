"""What a release says of itself in a sentence, and what whoever uses it should know. Pure."""

from annotator.core.datasheet_facts import Facts
from annotator.core.datasheet_tables import many


def summary(facts: Facts) -> str:
    """One sentence for whoever lists data sets."""
    counts = facts.counts
    made_by = many(facts.people, "reviewer") if facts.people else "no reviewer"
    return (
        f"{many(counts['solutions'], 'solution')} of {many(counts['groups'], 'problem group')} with a label for "
        f"each of {many(counts['steps'], 'step')}, reviewed by {made_by}."
    )


def limits(facts: Facts) -> list[str]:
    """What whoever uses the release should know, drawn from the facts."""
    counts, found = facts.counts, []
    open_steps = counts["steps"] - counts["verified_steps"]
    if open_steps:
        found.append(
            f"{many(open_steps, 'step')} of {counts['steps']:,} carry a label that no person gave by an act on that "
            "very step; the member “verified” says which."
        )
    if not facts.people:
        found.append("No person has labelled any of these solutions.")
    undecided = sum(n for name, n in counts["decisions"].items() if name not in ("agreed", "settled"))
    if undecided:
        found.append(f"{many(undecided, 'solution')} with labels that reviewers have not agreed on.")
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
        found.append(
            f"{many(sum(counts['findings'].values()), 'finding')} of checks left in what is released."
        )
    if not facts.licences:
        found.append("The licence of some of the sources is not stated: ask before you pass it on.")
    if facts.taken_down:
        found.append(f"{many(facts.taken_down, 'problem')} taken down; the texts are gone for good.")
    found.append("Agreement, accuracy and acceptance are of the whole project when the release was made.")
    return found
