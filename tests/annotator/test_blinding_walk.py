"""Every address, asked by a reviewer in every phase of an item, searched for what they must not know yet."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from annotator import caching, queue
from annotator.actions import exams, probes, review
from annotator.models import (
    Annotation,
    Assignment,
    Decision,
    Finding,
    Injection,
    Item,
    Phase,
    Protocol,
    Question,
    Solution,
    Use,
)
from tests import factories as make
from tests.annotator.walked import N_STEPS, RIGHT, SAID, SECRETS, VERDICT, Walk, judged, secret_item

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
    # Where the reveal stands there from the beginning there is one submission: nothing is committed before it.
    "verify_injection, solution, early": (BLIND, TOLD, TOLD, TOLD, TOLD, TOLD | {"gold"}),
    "verify_labels, solution, early": (BLIND, LETTERED, LETTERED, TOLD, TOLD, TOLD | {"gold"}),
    "label_steps, solution, early": (BLIND, BLIND, BLIND, BLIND, BLIND, {"gold"}),
    # Whether it is really another solution can be asked only beside the first.
    "check_solution, solution": (BLIND, *[{"original"}] * 4, {"original", "gold"}),
}
WALKED = ("verify_injection", "verify_labels", "label_steps")


def also_elsewhere(settings: Iterable[str], one: str) -> list[Any]:
    """All settings on SQLite, and one of them on another database too: what is shown is decided in Python, and
    each walk asks for every address with the same queries."""
    assert one in settings
    return [each if each == one else pytest.param(each, marks=pytest.mark.once) for each in sorted(settings)]


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


@pytest.mark.parametrize("setting", also_elsewhere(TABLE, "verify_injection, diff"))
def test_each_phase_shows_what_the_table_says_and_no_more(setting: str) -> None:
    protocol, shows, *early = setting.split(", ")
    walk = Walk(
        protocol=Protocol(protocol), blind_shows=shows, labels_first=not early,
        leads_too=setting == "verify_injection, diff",
    )  # fmt: skip
    for phase, allowed in zip(PHASES, TABLE[setting], strict=True):
        if phase != "committed" or not early:
            go_on(walk, phase)
        found = found_in(walk)
        leaks = {part: where for part, where in found.items() if part not in allowed}
        assert leaks == {}, (setting, phase)
        assert allowed == set(found), (setting, phase)


def said_otherwise(walk: Walk, *, machines: bool) -> None:
    """All that others said of the item, and what it is used for, said in another way."""
    rows = Annotation.objects.filter(solution=walk.item.solution).exclude(rater=walk.bob.rater_id)
    people = rows.filter(phase__in=[Phase.BLIND, Phase.REVEALED])
    (rows if machines else people).update(labels="-" * N_STEPS, first_error=0, note="", scores=None)
    Assignment.objects.filter(item=walk.item).exclude(rater=walk.bob.rater_id).update(
        draft={}, skip_reason=""
    )
    Question.objects.all().delete()
    Item.objects.filter(pk=walk.item.pk).update(error_type="deception", is_probe=True, priority=9)
    if machines:
        changed: dict[str, Any] = {"error_type": "deception", "claimed_wrong": [], "reason": ""}
        Injection.objects.filter(child=walk.item.solution).update(**changed)
        Finding.objects.all().delete()
        Solution.objects.filter(pk=walk.item.solution_id).update(foreign_id="", extra="", meta={})


# These hold a random value, or say what the API is; nothing of any project.
BY_CHANCE = ("GET sign-in ", "GET tokens ", "GET api:schema ")


def answers(walk: Walk) -> dict[str, str]:
    """As a reader compares them: without what changes from one answer to the next."""
    return {
        asked: without_chance(answer) for asked, answer in walk.answers() if not asked.startswith(BY_CHANCE)
    }


def without_chance(answer: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|Set-Cookie: .*', "", answer)


@pytest.mark.parametrize("protocol", also_elsewhere(WALKED, "verify_labels"))
def test_no_mark_order_or_preset_depends_on_what_others_said(protocol: str) -> None:
    """What machines said must change nothing while blind, what people said nothing before the decision."""
    walk = Walk(protocol=Protocol(protocol), blind_shows="solution")
    for phase in PHASES[:4]:
        go_on(walk, phase)
        before = answers(walk)
        with transaction.atomic():
            said_otherwise(walk, machines=phase in PHASES[:2])
            after = answers(walk)
            transaction.set_rollback(True)
        assert {asked for asked in before if before[asked] != after[asked]} == set(), phase


# --- Probes --------------------------------------------------------------------------------------------


def probe_like(walk: Walk) -> Item:
    """A decided item with the same text as the one of the walk, so that only its use could tell the two apart."""
    item = secret_item(walk.project, decision=Decision.AGREED, open_slots=0, n_submitted=2, is_probe=True)
    gold = make.machine_labels(item.solution, walk.lead.rater, SAID["gold"])
    Annotation.objects.filter(pk=gold.pk).update(phase=Phase.ADJUDICATION, note="zz-because")
    Item.objects.filter(pk=item.pk).update(gold=gold)
    return item


def seen_of(walk: Walk, use: Use, draw: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What Bob is shown at each phase of an item that he is given as work, or as a probe instead of it."""
    cache.clear()
    draw.setattr(queue._chance, "random", lambda: 0.0 if use == Use.PROBE else 1.0)
    seen = [masked(walk)]  # whoever works has seen the page of the project before
    held = queue.claim(by=walk.bob)
    assert held
    assert held.purpose == use
    walk.item = held.item
    for phase in PHASES[1:4]:
        go_on(walk, phase)
        seen.append(masked(walk))
    answer = walk.client.post(f"/api/v1/projects/{walk.project.slug}/assignments/{held.pk}/reopen")
    return [*seen, {"reopen": str(answer.status_code)}, masked(walk)]


def masked(walk: Walk) -> dict[str, str]:
    """The ids of item and assignment are numbers in a row: without them, and without the time of the claim."""
    ids = (
        r'(Content-Length: |class="num">|review/|assignments/|"id":|"item":|"next":|[Ii]tem |data-assignment=|'
        r'value=)"?\d+'
    )
    times = r'("lease_until":"|datetime="|\d+ \w+, \d\d?:)[^"<]*'
    return {
        re.sub(r"\?item=\d+", "", asked): re.sub(times, r"\1", re.sub(ids, r"\1#", text))
        for asked, text in answers(walk).items()
    }


@pytest.mark.parametrize("protocol", also_elsewhere(["verify_injection", "label_steps"], "label_steps"))
def test_a_probe_looks_like_work_in_every_phase(
    protocol: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # No count is kept because it took long here: on a busy machine one would be, of one walk and not the other.
    monkeypatch.setattr(caching, "perf_counter", lambda: 0.0)
    walk = Walk(protocol=Protocol(protocol), probe_rate=0.5)
    for _ in range(3):  # where the last of the work is done probes end, which shows
        secret_item(walk.project)
    probe, work, seen = probe_like(walk), walk.item, {}
    now = timezone.now()
    for use in (Use.WORK, Use.PROBE):
        # At one moment: pages tell how long ago and how fast, and a busy machine takes its time.
        with time_machine.travel(now, tick=False), transaction.atomic():
            walk.item = work
            seen[use] = seen_of(walk, use, monkeypatch)
            transaction.set_rollback(True)
    assert probe.pk == walk.item.pk
    for at, (as_work, as_probe) in enumerate(zip(seen[Use.WORK], seen[Use.PROBE], strict=True)):
        differ = {
            asked: (as_work[asked], as_probe[asked]) for asked in as_work if as_work[asked] != as_probe[asked]
        }
        assert differ == {}, at
        kept = ["probe", *SECRETS["gold"], *SECRETS["others"], *SECRETS["never"]]
        told = {word for word in kept for text in as_probe.values() if word in text.lower()}
        assert told == set(), at


# --- The exam ------------------------------------------------------------------------------------------


def test_an_exam_shows_what_work_would_and_never_the_gold() -> None:
    """Not even after it: what is told are patterns, and the item may be asked again."""
    walk = Walk(protocol=Protocol.VERIFY_INJECTION, blind_shows="solution", exam_pass=0.9)
    walk.settle()
    ids = [walk.item.pk]
    probes.set_use(by=walk.lead, project=walk.project, item_ids=ids, use=Use.EXAM, because="exam")
    assert set(found_in(walk)) == BLIND
    held = exams.go_on(by=walk.bob)
    assert held
    assert held.item_id == walk.item.pk
    assert set(found_in(walk)) == BLIND
    go_on(walk, "committed")
    assert set(found_in(walk)) == TOLD
    go_on(walk, "submitted")
    assert set(found_in(walk)) == TOLD
    walk.bob.refresh_from_db()  # going on, as the walk did, marked the attempt: not passed, and asked again
    assert (walk.bob.exam_attempts, walk.bob.exam_passed_at) == (1, None)
    assert found_in(walk) == {}


def test_a_demonstration_shows_gold_and_its_explanation_to_who_takes_the_exam() -> None:
    walk = Walk(protocol=Protocol.VERIFY_INJECTION, exam_pass=0.9)
    walk.settle()
    ids = [walk.item.pk]
    probes.set_use(by=walk.lead, project=walk.project, item_ids=ids, use=Use.DEMONSTRATION, because="exam")
    found = found_in(walk)
    assert "gold" in found
    assert not {"others", "never"} & set(found)
