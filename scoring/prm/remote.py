"""Scores from a vLLM server that pools instead of writing (`vllm serve MODEL --runner pooling`): token ids go to
POST /pooling, class shares of each step, or of each token, come back. Templates, positions and readouts stay ours.

A server gives shares after softmax or sigmoid; their logarithms are what our readouts ask for, so the result is the
same up to its number format. Everything is checked: what does not have the shape asked for is no score.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotator.errors import Invalid, PlumblineError
from scoring.prm import readout, template
from scoring.prm.engine.scoring import Scored, Solution, Written, write
from scoring.prm.kept import Kept
from scoring.prm.spec import Spec
from scoring.prm.template import Built
from scoring.prm.tokens import Tokens

Floats = NDArray[np.float64]
SERVED = ("linear", "mlp", "tokens")  # heads whose classes a pooling server can give
BATCH = 64  # solutions that are handed on together
SLACK = 0.02  # how far shares may be from adding up to 1 in half precision


class ServerFailed(PlumblineError):
    """The server did not answer, or not with scores."""

    status = 502
    code = "server_failed"


@dataclass(frozen=True)
class Server:
    """base_url: with or without the /v1 of its other routes. concurrency: requests at a time. timeout: seconds."""

    base_url: str
    model: str
    api_key: str = ""
    concurrency: int = 8
    timeout: float = 120.0
    retries: int = 4


def check(spec: Spec) -> None:
    """Raises Invalid where a pooling server cannot give what the variant reads."""
    if spec.kind != "process" or spec.head.kind not in SERVED:
        raise Invalid(
            f"{spec.model}, {spec.variant}: its scores cannot be had from a pooling server. Score it here.",
            field="model",
        )


def score(
    server: Server,
    spec: Spec,
    tokens: Tokens,
    inputs: Iterable[tuple[str, str, Sequence[str]]],
    *,
    kept: Kept | None = None,
) -> Iterator[list[Scored]]:
    """Score (key, problem, steps) as `engine.score` does; in the order of inputs. Raises Invalid, ServerFailed."""
    check(spec)
    template.check(spec, tokens)
    stream = (write(spec, tokens, Solution(*each), kept) for each in inputs)
    with _client(server) as client, ThreadPoolExecutor(server.concurrency) as pool:
        while some := list(islice(stream, BATCH)):
            yield list(pool.map(lambda each: _scored(client, server, spec, each), some))


def _client(server: Server) -> Any:
    """It repeats what may be repeated, and waits as long as a server asks for."""
    from openai import OpenAI

    base = server.base_url.rstrip("/").removesuffix("/v1")
    key = server.api_key or "none"
    return OpenAI(base_url=base, api_key=key, max_retries=server.retries, timeout=server.timeout)


def _scored(client: Any, server: Server, spec: Spec, each: Written) -> Scored:
    if not each.is_scored:
        return Scored(each.key, {}, each.n_tokens, not each.refused, each.refused, each.position)
    columns = np.concatenate([_columns(client, server, spec, text, each.key) for text in each.texts])
    return Scored(each.key, readout.values(spec, columns), each.n_tokens)


def _columns(client: Any, server: Server, spec: Spec, text: Built, key: str) -> Floats:
    """(positions, k), as the head would have given them."""
    body = {
        "model": server.model,
        "input": list(text.ids),
        "task": "token_classify",
        "use_activation": True,
        "encoding_format": "float",
    }
    shares = _rows(_ask(client, body, key), key)
    if len(shares) == len(text.ids) and len(shares) != len(text.positions):
        shares = shares[text.positions]
    expected = (len(text.positions), spec.head.columns)
    if shares.shape != expected:
        raise ServerFailed(
            f"Solution {key}: the server gave numbers of shape {shares.shape}, not {expected}."
        )
    return _before_activation(shares, key)


def _ask(client: Any, body: dict[str, Any], key: str) -> Any:
    from openai import OpenAIError

    try:
        return client.post("/pooling", cast_to=object, body=body)
    except OpenAIError as failed:
        raise ServerFailed(f"Solution {key}: {type(failed).__name__}: {str(failed)[:500]}") from failed


def _rows(reply: Any, key: str) -> Floats:
    """The numbers of the one text asked for, (tokens or steps, k)."""
    try:
        (only,) = reply["data"]
        rows = np.asarray(only["data"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as failed:
        raise ServerFailed(f"Solution {key}: the server's reply holds no table of numbers.") from failed
    return rows[:, None] if rows.ndim == 1 else rows


def _before_activation(shares: Floats, key: str) -> Floats:
    """What softmax (several columns) or sigmoid (one) turns into these shares."""
    inside = bool(((shares >= 0) & (shares <= 1)).all())
    if not inside or (shares.shape[1] > 1 and bool((np.abs(shares.sum(1) - 1) > SLACK).any())):
        raise ServerFailed(
            f"Solution {key}: the server's numbers are no shares: is its activation turned off?"
        )
    least = np.finfo(np.float64).tiny
    above: Floats = np.log(np.maximum(shares, least))
    return above if shares.shape[1] > 1 else above - np.log(np.maximum(1 - shares, least))
