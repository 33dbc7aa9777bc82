"""Every address, asked by a reviewer in every phase of an item, searched for what they must not know yet."""


import pytest

from annotator import queue
from annotator.actions import review
from annotator.models import Decision, Item, Protocol
from tests.annotator.walked import RIGHT, SECRETS, VERDICT, Walk, judged

pytestmark = pytest.mark.django_db

# What may be seen when: the parts of SECRETS, by protocol and phase. What is not named must not be found, and
# what is named must, so that a marker which no search would find cannot pass for a secret that is kept.
BLIND: set[str] = set()
TOLD = {"original", "claim", "machine", "machine name", "finding"}
LETTERED = TOLD - {
    "claim",
    "machine name",
}  # where labels are verified, machines are letters until the last word is in
PHASES = ("unclaimed", "claimed", "committed", "submitted", "conflicted", "settled")
TABLE: dict[str, tuple[set[str], ...]] = {
    "verify_injection, diff": (BLIND, {"original"}, TOLD, TOLD, TOLD, TOLD | {"gold"}),
    "verify_injection, solution": (BLIND, BLIND, TOLD, TOLD, TOLD, TOLD | {"gold"}),
    "verify_labels, diff": (BLIND, {"original"}, LETTERED, TOLD, TOLD, TOLD | {"gold"}),
    "verify_labels, solution": (BLIND, BLIND, LETTERED, TOLD, TOLD, TOLD | {"gold"}),
    "label_steps, diff": (
        BLIND,
        {"original"},
        {"original"},
        {"original"},
        {"original"},
        {"original", "gold"},
    ),
    "label_steps, solution": (BLIND, BLIND, BLIND, BLIND, BLIND, {"gold"}),
    # Whether it is really another solution can be asked only beside the first.
    "check_solution, solution": (BLIND, *[{"original"}] * 4, {"original", "gold"}),
}


def go_on(walk: Walk, phase: str) -> None:
    """From the phase before to this one."""
    if phase == "claimed":
        held = queue.claim(by=walk.bob)
        assert held
        assert held.item_id == walk.item.pk
        review.save_draft(by=walk.bob, assignment_id=held.pk, data={"labels": RIGHT}, version=0)
    elif phase == "committed":
        review.commit(by=walk.bob, assignment_id=walk.held.pk, data={"labels": RIGHT, "verdict": VERDICT})
    elif phase == "submitted":
        judged(walk.bob, walk.held, RIGHT)
    elif phase == "conflicted":
        Item.objects.filter(pk=walk.item.pk).update(decision=Decision.CONFLICTED, wanted=2, open_slots=0)
    elif phase == "settled":
        walk.settle()


def found_in(walk: Walk) -> dict[str, set[str]]:
    """Part -> where one of its markers stands, and which."""
    found: dict[str, set[str]] = {}
    for asked, answer in walk.answers():
        for part, markers in SECRETS.items():
            here = {f"{asked}: {marker}" for marker in markers if marker in answer}
            if here:
                found.setdefault(part, set()).update(here)
    return found


@pytest.mark.parametrize("setting", sorted(TABLE))
def test_each_phase_shows_what_the_table_says_and_no_more(setting: str) -> None:
    protocol, shows = setting.split(", ")
    walk = Walk(protocol=Protocol(protocol), blind_shows=shows, leads_too=setting == "verify_injection, diff")
    for phase, allowed in zip(PHASES, TABLE[setting], strict=True):
        go_on(walk, phase)
        found = found_in(walk)
        leaks = {part: where for part, where in found.items() if part not in allowed}
        assert leaks == {}, (setting, phase)
        assert allowed == set(found), (setting, phase)
