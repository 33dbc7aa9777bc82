"""Who submits after enough others have is told, once, on the next page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.models import Assignment
from annotator.views.review import SURPLUS
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_surplus_submission_is_said_on_the_next_page() -> None:
    item = factories.plain_item(factories.project(protocol="label_steps"), 0, wanted=1)
    slow, quick = factories.member(item.project), factories.member(item.project)
    late = queue.claim(by=slow)
    assert late
    Assignment.objects.filter(pk=late.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    queue.expire_due(item.project, timezone.now())
    other = queue.claim(by=quick)
    assert other
    labels = "+" * item.solution.n_steps
    review.submit(by=quick, assignment_id=other.pk, data={"labels": labels})
    client = Client()
    client.force_login(slow.user, "django.contrib.auth.backends.ModelBackend")
    form = {f"label-{i}": "+" for i in range(len(labels))} | {"n_steps": len(labels), "do": "submit"}
    answer = client.post(f"/p/{item.project.slug}/review/{late.pk}/", form, follow=True)
    late.refresh_from_db()
    assert late.surplus
    assert SURPLUS in answer.content.decode()
    assert SURPLUS not in client.get(f"/p/{item.project.slug}/mine/").content.decode()


def test_a_submission_that_counts_is_said_nothing_about() -> None:
    item = factories.plain_item(factories.project(protocol="label_steps"), 0, wanted=1)
    member = factories.member(item.project)
    mine = queue.claim(by=member)
    assert mine
    client = Client()
    client.force_login(member.user, "django.contrib.auth.backends.ModelBackend")
    n = item.solution.n_steps
    form = {f"label-{i}": "+" for i in range(n)} | {"n_steps": n, "do": "submit"}
    answer = client.post(f"/p/{item.project.slug}/review/{mine.pk}/", form, follow=True)
    assert SURPLUS not in answer.content.decode()
