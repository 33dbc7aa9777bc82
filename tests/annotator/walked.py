"""A project full of secrets, and everything that one of its reviewers can be shown, for the walk of the blinding.

Every secret is a text that stands nowhere else ("zz-…", or a number), so that finding it is a leak or a permission.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotator import queue
from annotator.actions import adjudicate, review
from annotator.models import (
    Annotation,
    Assignment,
    Call,
    Decision,
    Finding,
    Injection,
    Item,
    Membership,
    Project,
    Rater,
    Role,
    Solution,
    Unit,
)
from annotator.policies import ACCESS, Level
from tests import factories as make
from tests.made import Made

N_STEPS = 9
RIGHT = "+" * N_STEPS
VERDICT = {"claim": "reject", "original": "right", "right": "yes", "different": "yes", "answer": "right"}
SAID = {"injector": "+-0?+-.-+", "judge": "0-+-?+0-+", "alice": "-+-+0+-?-", "gold": "?-0-+-0+-"}


def spellings(labels: str) -> list[str]:
    """A label string as text and as JSON lists."""
    return [labels, json.dumps(list(labels)), json.dumps(list(labels), separators=(",", ":"))]


# What may be known, part by part: the parts of a phase stand in the tables of the tests.
SECRETS: dict[str, list[str]] = {
    "original": ["zz-original"],
    "claim": ["zz-kind", "zz-reason", "908171", "908172"],
    "machine": [*spellings(SAID["injector"]), *spellings(SAID["judge"]), "0.908173", "0.91"],
    "machine name": ["zz-injector", "zz-judge"],
    "finding": ["zz-detail"],
    "gold": ["zz-because"],
    "others": [
        *spellings(SAID["alice"]), "zz-alice", "zz-carol", "zz-lead", "zz-note", "zz-question", "zz-skip", "zz-draft",
    ],
    "never": ["zz-extra", "zz-unit", "zz-foreign", "zz-machine-note", "zz-meta", *spellings(SAID["gold"])],
}  # fmt: skip


def urls() -> dict[str, URLPattern]:
    return dict(_walk(get_resolver().url_patterns))


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _walk(pattern.url_patterns, space)
        else:
            yield f"{prefix}{pattern.name or pattern.pattern}", pattern


URLS = urls()


class Walk:
    """Bob, and what he is shown. Alice has judged the item, Carol has begun and Dora has skipped it."""

    def __init__(self, *, leads_too: bool = False, **settings: Any) -> None:
        """leads_too: what is for leads alone is asked for as well."""
        self.leads_too = leads_too
        self.project: Project = make.project(overlap=4, label_after_error=True, **settings)
        self.item = secret_item(self.project)
        self.lead = make.member(self.project, "zz-lead", Role.LEAD)
        self.bob = make.member(self.project, "bob")
        self.others_say()
        self.unit = secret_unit(self.item)
        self.client = Client()
        self.client.force_login(self.bob.user, "django.contrib.auth.backends.ModelBackend")

    def others_say(self) -> None:
        alice, carol, dora = (make.member(self.project, f"zz-{name}") for name in ("alice", "carol", "dora"))
        held = [queue.claim(by=member) for member in (alice, carol, dora)]
        review.ask(by=alice, assignment_id=held[0].pk, text="zz-question")
        judged(alice, held[0], SAID["alice"], note="zz-note")
        draft = {"labels": SAID["alice"], "note": "zz-draft"}
        review.save_draft(by=carol, assignment_id=held[1].pk, data=draft, version=0)
        review.skip(by=dora, assignment_id=held[2].pk, reason="zz-skip")
        self.alices = held[0]

    @property
    def held(self) -> Assignment:
        """Bob's assignment of the item, or before he has it, Alice's: that address is none of his."""
        mine = Assignment.objects.filter(item=self.item, rater=self.bob.rater_id).first()
        return mine or self.alices

    def settle(self) -> None:
        Item.objects.filter(pk=self.item.pk).update(decision=Decision.CONFLICTED, wanted=2, open_slots=0)
        self.item.refresh_from_db()
        adjudicate.settle(
            by=self.lead, item_id=self.item.pk, labels=SAID["gold"], cause="ambiguous", reason="zz-because",
            seen=adjudicate.seen_version(self.item),
        )  # fmt: skip

    def answers(self) -> Iterator[tuple[str, str]]:
        """Every address there is, as page and as JSON, and every refusal: what was asked, and what came back."""
        for name in sorted(URLS):
            path = reverse(name, kwargs=self.arguments(name))
            methods = ACCESS[name]
            if "GET" in methods:
                for query, headers in self.ways(name, methods["GET"]):
                    answer = self.client.get(path + query, headers=headers)
                    yield f"GET {name} {query} {headers}", whole(answer)
        yield from self.refusals()

    def ways(self, name: str, level: Level) -> list[tuple[str, dict[str, str]]]:
        """How an address is asked. What is of no project is read by everybody, so once."""
        if level > Level.REVIEWER:
            return [("", {})] if self.leads_too else []
        if "project" not in URLS[name].pattern.converters:
            return [("", {})]
        asked = f"?item={self.item.pk}&said=&q=so&decision=settled&show=all&format=json"
        return [("", {}), (asked, {"Accept": "application/json", "HX-Request": "true"})]

    def arguments(self, name: str) -> dict[str, Any]:
        known = {
            "project": self.project.slug, "assignment": self.held.pk, "item": self.item.pk,
            "run": self.unit.run_id, "unit": self.unit.pk, "method": "judge",
        }  # fmt: skip
        others = {"token": "x", "uid": "x", "name": "x", "file": "x"}
        return {
            key: known.get(key, others.get(key, 1)) for key in URLS[name].pattern.converters
        }  # fmt: skip

    def refusals(self) -> Iterator[tuple[str, str]]:
        """What a reviewer may send, sent so that it is refused."""
        page = reverse("review", args=[self.project.slug, self.held.pk])
        for do in ("save", "commit", "submit", "nothing"):
            for accept in ("text/html", "application/json"):
                answer = self.client.post(
                    page, {"do": do, "version": "0", "n_steps": N_STEPS}, headers={"Accept": accept}
                )
                yield f"POST review {do} {accept}", whole(answer)
        for name in ("draft", "commit", "submit", "skip"):
            path = reverse(f"api:{name}", args=[self.project.slug, self.held.pk])
            send = self.client.put if name == "draft" else self.client.post
            body = {"version": 99, "draft": {"labels": RIGHT}, "reason": ""}
            yield f"API {name}", whole(send(path, body, content_type="application/json"))


def judged(who: Membership, held: Assignment, labels: str, **said: Any) -> None:
    """A whole review, whatever the protocol asks."""
    data = {"labels": labels, "duration_ms": 60_000, "verdict": VERDICT, **said}
    if who.project.labels_first:
        review.commit(by=who, assignment_id=held.pk, data=data)
    review.submit(by=who, assignment_id=held.pk, data=data)


def secret_item(project: Project, **values: Any) -> Item:
    """An item of which machines have said something."""
    original = [f"{n}. Step {n} is {'zz-original ' * (n == 2)}so." for n in range(1, N_STEPS + 1)]
    changed = [f"{n}. Step {n} is {'not ' * (n == 2)}so." for n in range(1, N_STEPS + 1)]
    made = Made("Is it so?", "yes", original, "zz-kind", changed, [2], "zz-reason")
    item = make.injected_item(project, made=made, **values)
    injector, _ = Rater.objects.get_or_create(kind="injector", name="zz-injector")
    Injection.objects.filter(child=item.solution).update(
        claimed_changed=[908171], claimed_wrong=[908172], rater=injector
    )
    claimed = Annotation.objects.filter(solution=item.solution)
    claimed.update(labels=SAID["injector"], note="zz-machine-note", rater=injector)
    judge, _ = Rater.objects.get_or_create(kind="judge", name="zz-judge")
    made_by_judge = make.machine_labels(item.solution, judge, SAID["judge"])
    Annotation.objects.filter(pk=made_by_judge.pk).update(scores=[0.908173] * N_STEPS, note="zz-machine-note")
    Finding.objects.create(
        project=project, solution=item.solution, code="zz_found", position=1, detail="zz-detail"
    )
    Solution.objects.filter(pk=item.solution_id).update(
        foreign_id="zz-foreign-zz-kind", extra='{"classification": "zz-extra"}', meta={"source": "zz-meta"}
    )
    return item


def secret_unit(item: Item) -> Unit:
    """What a run asked a machine of the item, and what that replied."""
    judge = Rater.objects.get(kind="judge", name="zz-judge")
    run = make.run(item.project, "judge", rater=judge, because="zz-unit", params={"model": "zz-unit"})
    result = json.dumps({"first_error": 1, "analyses": ["zz-unit"], "reasons": ["zz-unit"], "raw": "zz-unit"})
    unit = make.unit(run, "zz-unit", solution=item.solution, result=result, kind="zz-unit", outcome="zz-unit")
    Call.objects.create(unit=unit, n=0, digest="zz-unit", reply="zz-unit")
    return unit


def whole(response: HttpResponse) -> str:
    """Body, headers and cookies: a secret may hide in each."""
    content = response.getvalue() if not response.streaming else b"".join(response.streaming_content)  # type: ignore[attr-defined]
    heads = "".join(f"\n{name}: {value}" for name, value in response.items())
    return f"{response.status_code}{heads}\n{response.cookies.output()}\n{content.decode()}"
