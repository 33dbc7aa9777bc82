"""A server that pools as vLLM's is documented to, over real HTTP, with a model of the engine behind it."""

import json
from typing import Any

import torch
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scoring.prm.engine import Model, forward
from scoring.prm.template import Built


def pooled(model: Model, ids: list[int], positions: list[int]) -> list[list[float]]:
    """What a server pools: softmax or sigmoid of the head at these positions."""
    rows = forward.launch(model, [Built(ids, positions, len(positions), False, 0, len(ids))], "padded")()[0]
    found = torch.from_numpy(rows)
    shares: list[list[float]] = (found.softmax(1) if found.shape[1] > 1 else found.sigmoid()).tolist()
    return shares


def serve(server: HTTPServer, model: Model, *, named: str, steps_only: bool = True, key: str = "") -> None:
    """Answer POST /pooling for a model of that name, with the steps' shares or with those of all tokens."""

    def answer(request: Request) -> Response:
        asked: dict[str, Any] = json.loads(request.data)
        if asked["model"] != named:
            return reply({"message": f"{named} says no such model"}, 404)
        assert not key or request.headers["authorization"] == f"Bearer {key}"
        ids, mark = asked["input"], model.tokens.id_of(model.spec.mark_token)
        at = [n for n, token in enumerate(ids) if token == mark] if steps_only else list(range(len(ids)))
        data = [{"index": 0, "object": "pooling", "data": pooled(model, ids, at)}]
        return reply({"object": "list", "data": data}, 200)

    server.expect_request("/pooling", method="POST").respond_with_handler(answer)


def reply(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
