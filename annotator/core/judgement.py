"""What a reviewer sends: the one shape of drafts, forms and API bodies, and its checks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from annotator.core import labels as lab

MAX_TEXT = 20_000
FINISH_REASONS = ("solution", "found_error", "bad_problem", "bad_split", "give_up")
ENDS_EARLY = ("bad_problem", "bad_split", "give_up")
VERDICTS: dict[str, dict[str, tuple[str, ...]]] = {
    "verify_injection": {"claim": ("accept", "fix", "reject"), "original": ("right", "wrong", "unsure")},
    "check_solution": {
        "right": ("yes", "no", "unsure"),
        "different": ("yes", "no", "unsure"),
        "answer": ("right", "wrong", "unsure"),
    },
}


class BadJudgement(ValueError):
    """A field of a judgement is not usable. `field` is its name, with the 0-based position where it has one."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(f"{field_name}: {message}")
        self.field = field_name
        self.message = message


@dataclass(frozen=True, slots=True)
class Judgement:
    """Labels (one character a step), error types by 0-based position, and the rest of one review.

    `edit`: new texts of steps; `insert`: texts that follow a step (-1: before the first); `delete`: steps to go.
    `bulk`: positions, ascending, that one act labelled together with others and that were not touched since.
    `alternatives`: labels of other ways to go on, by the id of the sibling solution that ends with each.
    """

    labels: str
    error_types: dict[int, list[str]] = field(default_factory=dict)
    edit: dict[int, str] = field(default_factory=dict)
    insert: dict[int, str] = field(default_factory=dict)
    delete: list[int] = field(default_factory=list)
    note: str = ""
    finish_reason: str = ""
    verdict: dict[str, str] = field(default_factory=dict)
    duration_ms: int = 0
    bulk: list[int] = field(default_factory=list)
    alternatives: dict[int, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The draft as stored: JSON has text keys."""
        return {
            "labels": self.labels,
            "error_types": {str(k): v for k, v in self.error_types.items()},
            "edit": {str(k): v for k, v in self.edit.items()},
            "insert": {str(k): v for k, v in self.insert.items()},
            "delete": self.delete,
            "note": self.note,
            "finish_reason": self.finish_reason,
            "verdict": self.verdict,
            "duration_ms": self.duration_ms,
            "bulk": self.bulk,
            "alternatives": {str(k): v for k, v in self.alternatives.items()},
        }


def parse(
    data: Mapping[str, Any], n_steps: int, kinds: Collection[str], siblings: Collection[int] = ()
) -> Judgement:
    """Read a judgement of a solution of `n_steps`; `kinds` are the error types of the project.

    `siblings`: ids of the solutions that end with another way to go on.
    Raises BadJudgement naming the field. Absent fields are empty: a draft may hold any part.
    """
    unknown = set(data) - set(Judgement.__dataclass_fields__)
    if unknown:
        raise BadJudgement(sorted(unknown)[0], "is not a field of a judgement")
    labels = _labels(data.get("labels") or lab.UNJUDGED * n_steps, n_steps)
    bulk = _positions("bulk", data.get("bulk") or [], n_steps)
    return Judgement(
        labels=labels,
        error_types=_error_types(data.get("error_types") or {}, n_steps, kinds),
        edit=_texts("edit", data.get("edit") or {}, range(n_steps)),
        insert=_texts("insert", data.get("insert") or {}, range(-1, n_steps)),
        delete=_positions("delete", data.get("delete") or [], n_steps),
        note=_text("note", data.get("note") or ""),
        finish_reason=_finish_reason(data.get("finish_reason") or ""),
        verdict=_verdict(data.get("verdict") or {}, kinds),
        duration_ms=_duration(data.get("duration_ms") or 0),
        bulk=[position for position in bulk if labels[position] != lab.UNJUDGED],
        alternatives=_alternatives(data.get("alternatives") or {}, siblings),
    )


def with_known(draft: Mapping[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """Return a stored draft without the error types that a project has given up since."""
    types = {
        position: [code for code in codes if code in kinds]
        for position, codes in (draft.get("error_types") or {}).items()
    }
    verdict = dict(draft.get("verdict") or {})
    if verdict.get("kind") not in kinds:
        verdict.pop("kind", None)
    return {**draft, "error_types": types, "verdict": verdict}


def label_following(data: Mapping[str, Any], position: int, stop_at_first_error: bool) -> dict[str, Any]:
    """Return what was entered with the label of the step at `position` given to every unjudged step after it.

    These are added to `bulk`. Where judging stops at the first error, so does this; and what stops there is
    not repeated. Raises BadJudgement for a step that does not exist or has no label.
    """
    labels = "".join(data.get("labels") or "")
    if not 0 <= position < len(labels) or labels[position] == lab.UNJUDGED:
        raise BadJudgement("following", f"step {position + 1} has no label to go on with")
    stop = lab.stopping_point(labels, stop_at_first_error)
    given = [at for at in lab.unjudged(labels, stop) if at > position]
    changed = "".join(labels[position] if at in given else label for at, label in enumerate(labels))
    return {**data, "labels": changed, "bulk": sorted({*(data.get("bulk") or []), *given})}


def stopped(judgement: Judgement) -> Judgement:
    """Return what counts where judging stops at the first wrong step: without the bulk labels after it, which were
    given before the error was seen. What was labelled there by hand stays. If nothing is, the error ended it."""
    if lab.WRONG not in judgement.labels:
        return judgement
    stop = lab.stopping_point(judgement.labels, True)
    gone = {at for at in judgement.bulk if at >= stop}
    labels = "".join(lab.UNJUDGED if at in gone else label for at, label in enumerate(judgement.labels))
    is_end = not labels[stop:].strip(lab.UNJUDGED) and judgement.finish_reason not in ENDS_EARLY
    return replace(
        judgement,
        labels=labels,
        error_types={at: codes for at, codes in judgement.error_types.items() if at not in gone},
        bulk=[at for at in judgement.bulk if at not in gone],
        finish_reason="found_error" if is_end else judgement.finish_reason,
    )


def missing(judgement: Judgement, stop_at_first_error: bool) -> list[int]:
    """Positions up to the stopping point that no human act has judged (0-based).

    Bad problem, bad split and give up end a review wherever it stands: nothing is missing then.
    """
    if judgement.finish_reason in ENDS_EARLY:
        return []
    stop = lab.stopping_point(judgement.labels, stop_at_first_error)
    return lab.unjudged(judgement.labels, stop)


def missing_verdict(judgement: Judgement, protocol: str) -> list[str]:
    """Questions of the protocol without an answer."""
    if judgement.finish_reason in ENDS_EARLY:
        return []
    return [name for name in VERDICTS.get(protocol, {}) if not judgement.verdict.get(name)]


def real_edits(edit: Mapping[int, str], steps: Sequence[str]) -> dict[int, str]:
    """Without the edits that leave a step as it is; a browser spells line breaks in its own way."""
    same = (step.replace("\r\n", "\n").replace("\r", "\n") for step in steps)
    unchanged = set(enumerate(same))
    return {i: text for i, text in edit.items() if (i, text) not in unchanged}


def edited_steps(steps: Sequence[str], judgement: Judgement) -> list[str] | None:
    """The proposed steps, or None where nothing was edited. Raises BadJudgement if none would be left."""
    gone = set(judgement.delete)
    result = [text for text in [judgement.insert.get(-1)] if text]
    for position, step in enumerate(steps):
        if position not in gone:
            result.append(judgement.edit.get(position, step))
        result.extend(text for text in [judgement.insert.get(position)] if text)
    if not result:
        raise BadJudgement("delete", "leaves no step: keep one; if none is any good, report a bad problem")
    return None if result == list(steps) else result


def _labels(value: Any, n_steps: int) -> str:
    """A text of one character a step, or a list of such characters, as the API shows them."""
    if isinstance(value, list) and all(isinstance(label, str) and len(label) == 1 for label in value):
        value = "".join(value)
    try:
        if not isinstance(value, str):
            raise ValueError("must be a list of labels, or a text of one character a step")
        lab.check_labels(value, n_steps)
    except ValueError as error:
        raise BadJudgement("labels", str(error)) from None
    return value


def _error_types(value: Any, n_steps: int, kinds: Collection[str]) -> dict[int, list[str]]:
    result: dict[int, list[str]] = {}
    for position, codes in _by_position("error_types", value, range(n_steps)).items():
        place = f"error_types[{position}]"
        if not isinstance(codes, list):
            raise BadJudgement(place, "must be a list of error types")
        for code in codes:
            if code not in kinds:
                raise BadJudgement(place, f"{code!r} is not an error type of this project")
        if codes:
            result[position] = list(dict.fromkeys(codes))
    return result


def _texts(name: str, value: Any, positions: range) -> dict[int, str]:
    found = _by_position(name, value, positions)
    texts = {position: _text(f"{name}[{position}]", text) for position, text in found.items()}
    return {position: text for position, text in texts.items() if text.strip()}


def _by_position(name: str, value: Any, positions: range) -> dict[int, Any]:
    if not isinstance(value, Mapping):
        raise BadJudgement(name, "must map positions to values")
    result: dict[int, Any] = {}
    for key, entry in value.items():
        try:
            position = int(key)
        except (TypeError, ValueError):
            raise BadJudgement(name, f"{key!r} is not a position") from None
        if position not in positions:
            raise BadJudgement(name, f"step {position} does not exist")
        result[position] = entry
    return result


def _positions(name: str, value: Any, n_steps: int) -> list[int]:
    if not isinstance(value, list):
        raise BadJudgement(name, "must be a list of positions")
    for position in value:
        if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < n_steps:
            raise BadJudgement(name, f"step {position!r} does not exist")
    return sorted(set(value))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadJudgement(name, "must be text")
    if len(value) > MAX_TEXT:
        raise BadJudgement(name, f"is longer than {MAX_TEXT:,} characters")
    if not storable(value):
        raise BadJudgement(name, "holds a character that cannot be stored")
    return value


def storable(text: str) -> bool:
    """Whether a database takes the text: PostgreSQL has no NUL, and half a surrogate pair has no UTF-8."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _finish_reason(value: Any) -> str:
    if value and value not in FINISH_REASONS:
        raise BadJudgement("finish_reason", f"must be one of {', '.join(FINISH_REASONS)}")
    return str(value)


def _alternatives(value: Any, siblings: Collection[int]) -> dict[int, str]:
    if not isinstance(value, Mapping):
        raise BadJudgement("alternatives", "must map solutions to labels")
    result: dict[int, str] = {}
    for key, label in value.items():
        if not str(key)[:20].isdecimal() or len(str(key)) > 19 or int(key) not in siblings:
            raise BadJudgement("alternatives", f"{str(key)[:20]!r} is not another way to go on here")
        if not isinstance(label, str) or label not in lab.LABELS:
            raise BadJudgement(f"alternatives[{key}]", f"{label!r} is none of + 0 - ? .")
        if label != lab.UNJUDGED:
            result[int(key)] = label
    return result


def _verdict(value: Any, kinds: Collection[str]) -> dict[str, str]:
    """Answers to the questions of any protocol, and `kind`: the error type the reviewer would name."""
    if not isinstance(value, Mapping):
        raise BadJudgement("verdict", "must map questions to answers")
    allowed = {question: answers for protocol in VERDICTS.values() for question, answers in protocol.items()}
    allowed["kind"] = tuple(kinds)
    result: dict[str, str] = {}
    for question, answer in value.items():
        if question not in allowed:
            raise BadJudgement("verdict", f"{question!r} is not a question")
        if answer and answer not in allowed[question]:
            raise BadJudgement(f"verdict.{question}", f"must be one of {', '.join(allowed[question])}")
        if answer:
            result[question] = answer
    return result


def _duration(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadJudgement("duration_ms", "must be a whole number of milliseconds")
    return value
