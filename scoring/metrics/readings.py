"""PRMBench read both ways, as its evaluator counts and strictly, where the two differ. In percent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scoring.metrics.confusion import READINGS
from scoring.metrics.prmbench import Item, Prediction
from scoring.metrics.prmbench_report import evaluate

SAME: Final = 1e-9


def prmbench(
    items: Sequence[Item], predictions: Mapping[str, Prediction], report: Mapping[str, Any]
) -> dict[str, Any]:
    """Return {"differ", "reference", "strict", "differences"}; a reading is {"overall", "kinds", "groups"} of
    PRMScores, a difference strict less reference, None where one of them is undefined.

    report: that of the one reading that is there already.
    """
    told = {
        reading: _brief(report if reading == report["reading"] else evaluate(items, predictions, reading))  # type: ignore[arg-type]
        for reading in READINGS
    }
    flat = {name: _flat(brief) for name, brief in told.items()}
    apart = {name: _less(flat["strict"].get(name), value) for name, value in flat["reference"].items()}
    differ = any(
        abs(apart[name] or 0.0) > SAME or (value is None) != (flat["strict"].get(name) is None)
        for name, value in flat["reference"].items()
    )
    return {"differ": differ, **told, "differences": apart}


def _brief(report: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {code: values["prm_score"] for code, values in report["kinds"].items()}
    return {"overall": report["overall"]["prm_score"], "kinds": kinds, "groups": report["groups"]}


def _flat(brief: Mapping[str, Any]) -> dict[str, float | None]:
    return {"overall": brief["overall"], **brief["kinds"]}


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
