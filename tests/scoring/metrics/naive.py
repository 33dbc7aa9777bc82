"""PRMBench's evaluator as its description has it, item by item and step by step, in plain Python: slow, for tests.

Every 0/0 is -1, and that -1 goes on into what is computed from it.
"""

from collections.abc import Mapping, Sequence

from scoring.metrics.prmbench import Item, Prediction

Counts = dict[str, int]


def over(part: float, whole: float) -> float:
    return part / whole if whole else -1.0


def f1(hits: int, called: int, there: int) -> float:
    p, r = over(hits, called), over(hits, there)
    return over(2 * p * r, p + r)


def score(counts: Counts) -> float:
    tp, fp, tn, fn = (counts[name] for name in ("tp", "fp", "tn", "fn"))
    return 0.5 * f1(tp, tp + fp, tp + fn) + 0.5 * f1(tn, tn + fn, tn + fp)


def positive(counts: Counts) -> float:
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    return f1(tp, tp + fp, tp + fn)


def turned(counts: Counts) -> Counts:
    """The same with wrong steps as what is to be found."""
    return {"tp": counts["tn"], "fp": counts["fn"], "tn": counts["tp"], "fn": counts["fp"]}


def pooled(items: Sequence[Item], said: Mapping[str, Prediction]) -> dict[str, Counts]:
    """Counts of each kind and of "overall"; and under "first" the first wrong steps found, and asked for."""
    pools: dict[str, Counts] = {}
    for item in items:
        found = said.get(item.id)
        if found is None or not found.is_parsed or item.kind == "correct":
            continue
        use_axis = item.kind in ("redundancy", "circular") and found.redundancy is not None
        labels = found.redundancy if use_axis else found.validity
        wrong = set(item.wrong)
        for name in (item.kind, "overall"):
            pool = pools.setdefault(name, dict.fromkeys(("tp", "fp", "tn", "fn", "first", "asked"), 0))
            for place, label in enumerate(labels or ""):
                if label == "+":
                    pool["fp" if place in wrong else "tp"] += 1
                else:
                    pool["tn" if place in wrong else "fn"] += 1
            reached = [place for place in wrong if 0 <= place < len(labels or "")]
            if reached:
                pool["asked"] += 1
                pool["first"] += (labels or "")[min(reached)] != "+"
    return pools
