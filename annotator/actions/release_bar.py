"""Kinds that acceptance sampling found wanting: they are not released."""

from collections import Counter

from annotator.models import Item, Project


def under_bar(project: Project) -> list[str]:
    """Error types of which too small a share of the decided sample is really wrong, by the project's bar.

    A kind of which nothing was sampled and decided is not under it: nothing is known of it.
    """
    if project.acceptance_bar is None:
        return []
    drawn = (
        Item.objects.filter(project=project).exclude(sample=None).exclude(gold=None).exclude(error_type="")
    )
    decided: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for kind, labels in drawn.order_by().values_list("error_type", "gold__labels"):
        decided[kind] += 1
        wrong[kind] += "-" in labels
    return sorted(kind for kind, n in decided.items() if wrong[kind] / n < project.acceptance_bar)
