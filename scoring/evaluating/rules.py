"""What the catalogue says of a model that a run scored with: whether its scores can be cut, and how they add up."""

from annotator import errors
from annotator.models import Rater, RaterKind
from scoring import installed
from scoring.evaluating.said import Cut
from scoring.prm.spec import Spec


def spec_of(rater: Rater) -> Spec | None:
    """How the model was read, None for what was brought in and for all that is no reward model."""
    if rater.kind != RaterKind.PRM or "model" not in rater.spec:
        return None
    name, variant = rater.spec["model"], rater.spec.get("variant", "")
    found = (entry for entry in installed.entries().values() if name in (entry.hub, entry.name))
    return next((entry.variants[variant] for entry in found if variant in entry.variants), None)


def can_cut(rater: Rater) -> bool:
    """Whether a threshold on each score alone gives labels: not where a label is a drop from the step before."""
    spec = spec_of(rater)
    return spec is None or spec.channels["validity"].decide.rule != "drop_above"


def check_cut(rater: Rater, cut: Cut) -> None:
    """Raises Invalid for a threshold where none can be set."""
    if cut.threshold is not None and not can_cut(rater):
        raise errors.Invalid(
            "This model calls a step wrong where its score drops from the step before, and not by the score alone:"
            " no threshold can be set. Read its stored labels.",
            field="threshold",
        )


def aggregate(rater: Rater) -> str:
    """How its step scores make a response's, where its kind says; "" where the scores do."""
    spec = spec_of(rater)
    return {"outcome": "last", "log_ratio": "min"}.get(spec.kind, "") if spec else ""
