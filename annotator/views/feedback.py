"""What reviewers are told of their own probes: patterns, never an item, a number or today's work."""

from django.core.cache import cache
from django.utils import timezone

from annotator import measured
from annotator.models import Membership, Use
from annotator.views.exam import patterns_of

KEPT_S = 26 * 3600


def hints_for(by: Membership) -> list[str]:
    """Made once a day from what was submitted before it, so that no hint can be traced to a submission."""
    if not by.project.probe_rate:
        return []
    today = timezone.localdate()
    key = f"hints:{by.pk}:{today}:{by.project.decision_rule}"
    kept: list[str] | None = cache.get(key)
    if kept is None:
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        cases = measured.by_rater(
            by.project, Use.PROBE, rater_id=by.rater_id, assignment__submitted_at__lt=midnight
        )
        kept = patterns_of(cases.get(by.rater_id, []), by.project)
        cache.set(key, kept, timeout=KEPT_S)
    return kept
