"""Kinds that acceptance sampling found wanting: they are not released."""

from annotator.models import Project
from annotator.reports.acceptance import kinds_under_bar


def under_bar(project: Project) -> list[str]:
    """Error types of which too small a share of the decided samples is as claimed, by the project's bar.

    A kind of which nothing was sampled and decided is not under it: nothing is known of it.
    """
    return kinds_under_bar(project)
