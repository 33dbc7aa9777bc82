"""Guidelines: versions that never change, who may write them, what has been read, and what is shown."""

from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotator import errors
from annotator.actions.guidelines import MAX_TEXT, read_guideline, restore_guideline, write_guideline
from annotator.models import Event, Guideline, Membership, Project, Role
from annotator.views import markdown
from tests import factories

pytestmark = pytest.mark.django_db

HOSTILE = """# <img src=x onerror=alert(1)>

<script>alert(2)</script> [a](javascript:alert(3)) [b](data:text/html,x) ![c](https://spy.example/pixel)

[good](https://example.org/) $\\href{javascript:alert(4)}{x}$"""


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(), "lead", Role.LEAD)


@pytest.fixture
def bob(lead: Membership) -> Membership:
    return factories.member(lead.project, "bob")


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(project: Project, query: str = "") -> str:
    return reverse("guidelines", args=[project.slug]) + query


def said(page: Any, kind: str) -> list[str]:
    """The lines of a kind in the difference that a page shows."""
    return [line.text for line in page.context["difference"] if line.kind == kind]


def test_writing_makes_a_version_and_leaves_the_old_one(lead: Membership) -> None:
    first = lead.project.guideline
    second = write_guideline(by=lead, project=lead.project, text="New.\r\n", base=1)
    lead.project.refresh_from_db()
    assert (second.version, second.text, second.created_by) == (2, "New.", lead.user)
    assert lead.project.guideline == second
    assert first
    assert Guideline.objects.get(pk=first.pk).text == factories.GUIDELINE
    assert Event.objects.get(verb="write_guideline").data == {"version": 2}


def test_the_same_text_again_makes_no_version(lead: Membership) -> None:
    for _ in range(2):
        assert write_guideline(by=lead, project=lead.project, text="New.", base=1).version == 2
    assert Guideline.objects.count() == 2


def test_who_started_from_an_old_version_is_told(lead: Membership) -> None:
    write_guideline(by=lead, project=lead.project, text="Mine.", base=1)
    with pytest.raises(errors.Conflict, match="Version 2 was written meanwhile"):
        write_guideline(by=lead, project=lead.project, text="Theirs.", base=1)


def test_reviewers_and_strangers_write_nothing(lead: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Forbidden):
        write_guideline(by=bob, project=lead.project, text="Mine.")
    stranger = factories.member(factories.project(), role=Role.OWNER)
    with pytest.raises(errors.Missing):
        write_guideline(by=stranger, project=lead.project, text="Mine.")


@pytest.mark.parametrize("text", ["", " \n ", "a\0b", "\ud800", "a" * (MAX_TEXT + 1)])
def test_texts_that_cannot_be_kept_are_refused(lead: Membership, text: str) -> None:
    with pytest.raises(errors.Invalid):
        write_guideline(by=lead, project=lead.project, text=text)


def test_reading_is_remembered_and_only_forwards(lead: Membership, bob: Membership) -> None:
    write_guideline(by=lead, project=lead.project, text="New.")
    for version, remembered in ((2, 2), (1, 2)):
        read_guideline(by=bob, version=version)
        bob.refresh_from_db()
        assert bob.guideline_read == remembered
    with pytest.raises(errors.Missing):
        read_guideline(by=bob, version=3)


def test_opening_the_page_or_the_drawer_counts_as_reading(bob: Membership) -> None:
    for query in ("", "?fragment=1"):
        Membership.objects.update(guideline_read=0)
        assert signed_in(bob).get(page(bob.project, query)).status_code == 200
        bob.refresh_from_db()
        assert bob.guideline_read == 1


@pytest.mark.parametrize(("query", "headers"), [("?fragment=1", {}), ("", {"HX-Request": "true"})])
def test_the_drawer_gets_the_text_alone(bob: Membership, query: str, headers: dict[str, str]) -> None:
    answer = signed_in(bob).get(page(bob.project, query), headers=headers)
    text = answer.content.decode()
    assert "<strong>right</strong>" in text
    assert "<html" not in text
    assert "HX-Request" in answer["Vary"]


def test_what_changed_since_one_last_read_is_offered(lead: Membership, bob: Membership) -> None:
    client = signed_in(bob)
    client.get(page(bob.project))
    write_guideline(by=lead, project=lead.project, text=factories.GUIDELINE + "\n\nAnd more.")
    assert "Changed since you last read version 1" in client.get(page(bob.project)).content.decode()
    found = client.get(page(bob.project, "?version=2&from=1"))
    assert "And more." in said(found, "new")
    assert "Changed since" not in client.get(page(bob.project)).content.decode()


def test_old_versions_can_be_read_and_say_that_they_are_old(lead: Membership, bob: Membership) -> None:
    write_guideline(by=lead, project=lead.project, text="Quite new.")
    text = signed_in(bob).get(page(bob.project, "?version=1")).content.decode()
    assert "This is an old version" in text
    assert "Quite new" not in text
    for nonsense in ("0", "3", "x", "-1", "9" * 40, "²"):
        assert signed_in(bob).get(page(bob.project, f"?version={nonsense}")).status_code == 404
    assert signed_in(bob).get(page(bob.project, "?from=77")).status_code == 404


def test_hostile_guidelines_are_text(lead: Membership, bob: Membership) -> None:
    write_guideline(by=lead, project=lead.project, text=HOSTILE)
    for query in ("", "?fragment=1", "?version=2&from=1"):
        text = signed_in(bob).get(page(bob.project, query)).content.decode()
        rendered = text.split("<main", 1)[-1]
        assert not [
            bad for bad in ("<script>alert", "<img", 'href="javascript', 'href="data') if bad in rendered
        ]
    assert 'href="https://example.org/"' in rendered
    edit = signed_in(lead).get(page(lead.project, "?edit=1")).content.decode()
    assert "<script>alert" not in edit


def test_a_lead_previews_and_saves_on_the_page(lead: Membership) -> None:
    client, here = signed_in(lead), page(lead.project)
    form = client.get(here + "?edit=1").context["form"]
    sent = {"text": form.initial["text"] + "\nMore.", "base": form.initial["base"]}
    preview = client.post(here, sent | {"do": "preview"})
    assert "More." in said(preview, "new")
    assert Guideline.objects.count() == 1
    assert client.post(here, sent | {"do": "save"})["Location"] == here
    assert Guideline.objects.count() == 2


def test_after_a_conflict_nothing_typed_is_lost_and_saving_again_works(lead: Membership) -> None:
    client, here = signed_in(lead), page(lead.project)
    write_guideline(by=lead, project=lead.project, text="Theirs.")
    refused = client.post(here, {"do": "save", "text": "Mine.", "base": "1"})
    form = refused.context["form"]
    assert "Mine." in refused.content.decode()
    assert "Theirs." in said(refused, "gone")
    again = {"do": "save", "text": form["text"].value(), "base": form["base"].value()}
    assert client.post(here, again).status_code == 302
    lead.project.refresh_from_db()
    assert lead.project.guideline
    assert lead.project.guideline.text == "Mine."


def test_a_reviewer_is_shown_no_form(bob: Membership) -> None:
    assert "<textarea" not in signed_in(bob).get(page(bob.project, "?edit=1")).content.decode()


def test_a_project_without_guidelines_says_so(lead: Membership) -> None:
    Project.objects.update(guideline=None)
    Guideline.objects.all().delete()
    assert "no guidelines yet" in signed_in(lead).get(page(lead.project)).content.decode()
    sent = {"do": "save", "text": "First.", "base": "0"}
    signed_in(lead).post(page(lead.project), sent)
    assert Guideline.objects.get().version == 1


def test_the_page_makes_as_many_queries_for_many_versions_as_for_few(lead: Membership) -> None:
    def queries() -> int:
        signed_in(lead).get(page(lead.project))
        client = signed_in(lead)
        with CaptureQueriesContext(connection) as found:
            client.get(page(lead.project))
        return len(found)

    few = queries()
    for n in range(15):
        write_guideline(by=lead, project=lead.project, text=f"Version {n}.")
    assert queries() == few


# --- Mathematics, preview, old versions --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("$a_1*b*c_1$", '<span class="tex">$a_1*b*c_1$</span>'),
        ("\\(a_b_c\\)", '<span class="tex">\\(a_b_c\\)</span>'),
        ("\\[\n- a\n# b\n\\]", '<span class="tex block">\\[\n- a\n# b\n\\]</span>'),
        ("> $$x < y$$", '<span class="tex block">$$x &lt; y$$</span>'),
        ("costs $5 or *even* $10", "costs $5 or <em>even</em> $10"),
        ("`$x^2$` and $y^2$", '<code>$x^2$</code> and <span class="tex">$y^2$</span>'),
        ("$10 and `$x^2$`", "$10 and <code>$x^2$</code>"),
        ("| a |\n|---|\n| $x_1$ |", '<td><span class="tex">$x_1$</span></td>'),
        ("$\\text{<b>}x^2$", '<span class="tex">$\\text{&lt;b&gt;}x^2$</span>'),
        ('<span class="tex evil">x</span>', '&lt;span class="tex evil"&gt;x'),
    ],
)  # fmt: skip
def test_mathematics_in_guidelines_is_marked_and_left_whole(text: str, html: str) -> None:
    assert html in markdown.render(text)


@pytest.mark.parametrize("line", ["$$\n", "\\[\n", "\\[", "$x$ ", "\\begin{align}\n", "`", "`` "])
def test_a_hostile_text_is_shown_in_seconds(line: str) -> None:
    started = perf_counter()
    markdown.render_draft((line * MAX_TEXT)[:MAX_TEXT])
    assert perf_counter() - started < 10


def test_the_preview_shows_how_the_text_looks_and_keeps_nothing(lead: Membership) -> None:
    client, here = signed_in(lead), page(lead.project)
    shown = client.post(here, {"do": "preview", "text": "**So** $x_1$", "base": "1"})
    assert '<strong>So</strong> <span class="tex">$x_1$</span>' in shown.content.decode()
    assert "**So** $x_1$</textarea>" in shown.content.decode()
    live = client.post(here, {"fragment": "1", "text": HOSTILE}).content.decode()
    assert "<html" not in live
    assert not [bad for bad in ("<script>alert", "<img", 'href="javascript') if bad in live]
    assert Guideline.objects.count() == 1


def test_a_reviewer_previews_nothing(bob: Membership) -> None:
    assert signed_in(bob).post(page(bob.project), {"fragment": "1", "text": "x"}).status_code == 403


def test_news_stand_first_on_the_page_and_in_the_drawer(lead: Membership, bob: Membership) -> None:
    for query in ("", "?fragment=1"):
        project = bob.project
        Membership.objects.filter(pk=bob.pk).update(guideline_read=1)
        write_guideline(by=lead, project=project, text=f"{factories.GUIDELINE}\n\nMore {query}.")
        text = signed_in(bob).get(page(project, query)).content.decode()
        assert text.index("Changed since you last read version 1") < text.index("How to judge")
        assert "Changed since" not in signed_in(bob).get(page(project, query)).content.decode()


def test_an_old_version_is_taken_again_as_a_new_one(lead: Membership) -> None:
    client, here = signed_in(lead), page(lead.project)
    write_guideline(by=lead, project=lead.project, text="Worse.")
    assert "Take it again, as version 3" in client.get(here + "?version=1").content.decode()
    sent = {"do": "restore", "version": "1", "base": "2"}
    assert client.post(here, sent)["Location"] == here
    lead.project.refresh_from_db()
    assert lead.project.guideline
    assert (lead.project.guideline.version, lead.project.guideline.text) == (3, factories.GUIDELINE)
    assert [g.text for g in Guideline.objects.order_by("version")][:2] == [factories.GUIDELINE, "Worse."]


def test_what_was_written_meanwhile_is_not_overruled_by_an_old_version(lead: Membership) -> None:
    write_guideline(by=lead, project=lead.project, text="Second.")
    write_guideline(by=lead, project=lead.project, text="Third.")
    sent = {"do": "restore", "version": "1", "base": "2"}
    assert signed_in(lead).post(page(lead.project), sent).status_code == 409
    assert signed_in(lead).post(page(lead.project), sent | {"version": "9", "base": "3"}).status_code == 404
    assert Guideline.objects.count() == 3


def test_only_leads_take_an_old_version_again(lead: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Forbidden):
        restore_guideline(by=bob, project=lead.project, version=1)
    with pytest.raises(errors.Missing):
        restore_guideline(by=lead, project=factories.project(), version=1)
