"""A critic's reply: two lists of scores in JSON, or the place of the first error in a box."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotator.core.labels import NO_ERROR
from synth.methods.asks import Reply
from synth.methods.replies import json_object, told, unfinished, without_thinking

_BOX: Final = re.compile(r"\\boxed\{([^}]*)\}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,6}")
_Score = Annotated[float, Field(strict=True, ge=-1, le=1)]


class Scores(BaseModel):
    """One number a step, from -1 to 1."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    validity: list[_Score]
    redundancy: list[_Score]


class Unread(NamedTuple):
    """Why a reply could not be read."""

    reasons: tuple[str, ...]


def schema(n_steps: int) -> Mapping[str, Any]:
    """Return the JSON schema of a reply with two scores for each step."""
    scores = {
        "type": "array",
        "items": {"type": "number", "minimum": -1, "maximum": 1},
        "minItems": n_steps,
        "maxItems": n_steps,
    }
    return {
        "type": "object",
        "properties": {"validity": scores, "redundancy": scores},
        "required": ["validity", "redundancy"],
        "additionalProperties": False,
    }


def written(example: Mapping[str, Any]) -> str:
    """Return the reply of a worked example."""
    return json.dumps({name: example[name] for name in ("validity", "redundancy")})


def read_scores(reply: Reply, n_steps: int) -> Scores | Unread:
    """Return the scores of a reply: as many as there are steps, in each list."""
    if why := unfinished(reply):
        return Unread((why,))
    found = json_object(reply.text, ("validity", "redundancy"))
    if found is None:
        return Unread(('there is no JSON object with "validity" and "redundancy"',))
    try:
        scores = Scores.model_validate(found)
    except ValidationError as error:
        return Unread(told(error))
    lists = {"validity": scores.validity, "redundancy": scores.redundancy}
    odd = [
        f"{name} has {len(one)} numbers, the solution {n_steps} steps"
        for name, one in lists.items()
        if len(one) != n_steps
    ]
    return Unread(tuple(odd)) if odd else scores


def read_index(reply: Reply, n_steps: int) -> int | Unread:
    r"""Return the 0-based place in the last \boxed{} of a reply, or NO_ERROR for -1."""
    if why := unfinished(reply):
        return Unread((why,))
    boxes = _BOX.findall(without_thinking(reply.text))
    if not boxes or not _NUMBER.fullmatch(boxes[-1].strip()):
        return Unread((r"the reply must end with one whole number in \boxed{}",))
    place = int(boxes[-1])
    if not NO_ERROR <= place < n_steps:
        return Unread(
            (f"there is no paragraph {place}: they go from 0 to {n_steps - 1}, and -1 means no error",)
        )
    return place
