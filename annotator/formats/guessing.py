"""Guesses where our words stand in a group's own records, by the names that the field uses and the values there.

A guess fills in a form that a person looks at; nothing is imported by it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats.mapping import parse_place, paths_of, value_at

MAX_PLACES: Final = 200
INSIDE: Final = ("text", "content", "body", "value")
IDS: Final = ("id", "uid", "uuid", "idx", "unique_id", "record_id", "index", "sample_id")


def places(records: Iterable[Any]) -> dict[str, Any]:
    """Return the places found in decoded records, as a map spells them, each with the first value there."""
    found: dict[str, Any] = {}
    for record in records:
        for place in paths_of(record):
            value = value_at(record, parse_place(place))
            if found.get(place) is None and (place in found or len(found) < MAX_PLACES):
                found[place] = value
    return found


def guess(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return places by word; all but `meta` have one, and words without a likely place have none.

    found: a value by place, as `places` returns it. A place serves one word only.
    """
    taken: set[str] = set()
    guessed: dict[str, list[str]] = {}
    for word, fits, names in NAMES:
        if word == "response" and "steps" in guessed:
            continue
        likely = [place for place in _named(found, names) if place not in taken and fits(found[place])]
        chosen = likely if word == "meta" else likely[:1]
        if chosen:
            guessed[word] = chosen
            taken.update(chosen)
    return guessed


def _named(found: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return the places whose last name is one of these: better names first, then shallow places."""
    ranks = {name: rank for rank, name in enumerate(names)}
    paths = {place: parse_place(place) for place in found}
    likely = [place for place, path in paths.items() if _name(path) in ranks]
    return sorted(likely, key=lambda place: (ranks[_name(paths[place])], len(paths[place])))


def _name(path: Sequence[str]) -> str:
    """What a place is called: `question.text` is a question; the id of a part is not the record's."""
    plain = [name.lower().replace("-", "_").replace(" ", "_") for name in path]
    if len(plain) > 1 and plain[-1] in INSIDE:
        return plain[-2]
    return "" if len(plain) > 1 and plain[-1] in IDS else plain[-1]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_short(value: Any) -> bool:
    return isinstance(value, str) or type(value) in (int, float)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _is_labels(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and set(value) <= set(core.LABELS)
    return isinstance(value, list) and bool(value) and all(map(_is_label, value))


def _is_label(value: Any) -> bool:
    return value is None or type(value) in (bool, int) or (isinstance(value, str) and value in core.LABELS)


def _is_scores(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(one) in (int, float) for one in value)


def _is_place(value: Any) -> bool:
    return type(value) is int


NAMES: Final[tuple[tuple[str, Callable[[Any], bool], tuple[str, ...]], ...]] = (
    ("problem", _is_text, ("problem", "question", "prompt", "query", "instruction", "input", "problem_text")),
    ("steps", _is_texts, (
        "steps", "completions", "process", "reasoning_steps", "solution_steps", "solution", "response",
        "model_process", "modified_process",
    )),
    ("response", _is_text, (
        "response", "solution", "completion", "model_output", "model_solution", "output", "generation",
        "generated_solution", "reasoning", "rationale", "cot", "process",
    )),
    ("answer", _is_short, (
        "answer", "ground_truth_answer", "reference_answer", "ground_truth", "expected_answer", "gold_answer",
        "gold", "final_answer", "target",
    )),
    ("id", _is_short, IDS),
    ("group", _is_short, ("group", "group_id", "problem_id", "question_id", "base_id")),
    ("labels", _is_labels, ("labels", "step_labels", "ratings", "step_ratings", "annotations", "judgements")),
    ("scores", _is_scores, (
        "scores", "step_scores", "rewards", "step_rewards", "prm_scores", "values", "probabilities", "labels",
    )),
    ("first_error", _is_place, ("first_error", "first_error_step", "first_error_index", "error_step", "label")),
    ("rater", _is_text, ("rater", "annotator", "labeler", "labeller", "annotated_by", "judge")),
    ("meta", _is_short, (
        "source", "dataset", "data_source", "subject", "level", "difficulty", "topic", "category", "generator",
        "model", "model_name", "final_answer_correct", "split",
    )),
)  # fmt: skip
