"""Thresholds of a project's scoring raters: chosen on one part, reported on another."""

from annotator import errors
from annotator.models import Rater
from scoring.evaluating.measure import Measuring, Report
from scoring.evaluating.said import load, name_of, predictions
from scoring.metrics import processbench, sweeps


def sweep(by: Measuring, rater: Rater, labels: str, draws: int) -> Report:
    """PRMBench: chosen on one half of the problem groups.  ProcessBench: on its GSM8K subset, or the largest where
    there is none.  Raises Invalid for a rater without scores."""
    said = {pk: one for pk, one in load(by.project, rater).items() if one.is_parsed}
    scores = {str(pk): one.scores for pk, one in said.items() if one.scores}
    asked = by.truth.of(labels)
    if by.benchmark == "best_of_n" or not any(one.id in scores for one in asked):
        raise errors.Invalid("Only a rater with step scores has a threshold to choose.", field="rater")
    about = {"benchmark": by.benchmark, "rater": name_of(rater), "labels": labels, "reading": by.reading}
    try:
        if by.benchmark == "prmbench":
            return about | sweeps.prmbench(asked, scores, predictions(said), by.reading, draws)
        return about | processbench.sweep(asked, scores, processbench.tuned_on(asked))
    except ValueError as error:
        raise errors.Invalid(f"No threshold can be chosen: {error}.", field="rater") from error
