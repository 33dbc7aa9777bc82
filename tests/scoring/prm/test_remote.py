"""A pooling server over real HTTP: the same scores as the engine's, and a refusal of all that is no score."""

import json

import pytest

from annotator.errors import Invalid
from scoring.prm import catalogue, engine, remote
from tests.scoring.prm import pooling

QWEN, MINOS = "qwen2.5-math-prm-7b", "mathminos-mistral-7b"
INPUTS = [
    ("a", "What is 1 + 1?", ["It is 2.", "So 2.", "Done."]),
    ("b", "What is 2 + 1?", ["It is 3."]),
    ("sign", "What?", ["<|im_end|></s>"]),
]


@pytest.fixture(scope="module")
def models(folders):
    return {
        name: engine.load(catalogue.load()[name].variant(), folders(name), "cpu") for name in (QWEN, MINOS)
    }


@pytest.mark.parametrize("name", [QWEN, MINOS])
@pytest.mark.parametrize("steps_only", [True, False])
def test_a_servers_scores_are_the_engines(httpserver, models, name, steps_only):
    model = models[name]
    pooling.serve(httpserver, model, named="tiny", steps_only=steps_only, key="key")
    server = remote.Server(httpserver.url_for("/v1"), "tiny", "key", retries=0)
    [found] = remote.score(server, model.spec, model.tokens, INPUTS)
    expected = {one.key: one for batch in engine.score(model, INPUTS) for one in batch}
    assert [one.key for one in found] == ["a", "b", "sign"]
    for one in found:
        mine = expected[one.key]
        assert (one.n_tokens, one.refused, one.position) == (mine.n_tokens, mine.refused, mine.position)
        assert one.channels.keys() == mine.channels.keys()
        for channel, scores in one.channels.items():
            assert scores == pytest.approx(mine.channels[channel], abs=1e-5)
    assert found[2].refused


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ([[0.5, 0.5]] * 2, r"shape \(2, 2\), not \(3, 2\)"),
        ([[0.5]] * 3, r"shape \(3, 1\), not \(3, 2\)"),
        ([[0.5, 0.9]] * 3, "no shares"),
        ([[-3.0, 4.0]] * 3, "no shares"),
        ([[float("nan"), 1.0]] * 3, "no shares"),
        ("AAAA", "no table"),
    ],
)
def test_what_is_no_score_is_refused(httpserver, models, data, complaint):
    reply = {"data": [{"index": 0, "data": data}]}
    httpserver.expect_request("/pooling").respond_with_data(
        json.dumps(reply), content_type="application/json"
    )
    with pytest.raises(remote.ServerFailed, match=complaint):
        ask(httpserver, models)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_refusal_of_the_server_is_told(httpserver, models, status):
    httpserver.expect_request("/pooling").respond_with_json({"message": "too long for me"}, status=status)
    with pytest.raises(remote.ServerFailed, match=r"Solution a: .*too long for me"):
        ask(httpserver, models)


def test_a_busy_server_is_asked_again(httpserver, models):
    model = models[QWEN]
    httpserver.expect_ordered_request("/pooling").respond_with_data(
        "", status=429, headers={"retry-after-ms": "1"}
    )
    data = {"data": [{"index": 0, "data": [[0.25, 0.75]]}]}
    httpserver.expect_ordered_request("/pooling").respond_with_json(data)
    server = remote.Server(httpserver.url_for("/"), "tiny", retries=1)
    [[found]] = remote.score(server, model.spec, model.tokens, INPUTS[1:2])
    assert found.channels["validity"] == pytest.approx([0.75])


def test_nobody_there_is_told(models):
    server = remote.Server("http://127.0.0.1:9/v1", "tiny", retries=0)
    with pytest.raises(remote.ServerFailed, match="Solution b"):
        list(remote.score(server, models[QWEN].spec, models[QWEN].tokens, INPUTS[1:2]))


@pytest.mark.parametrize("name", ["llemma-prm800k-7b", "eurus-stage1", "qwen2.5-math-rm-72b"])
def test_what_a_server_cannot_give_is_refused(name):
    with pytest.raises(Invalid, match="cannot be had from a pooling server"):
        remote.check(catalogue.load()[name].variant())


def ask(httpserver, models):
    server = remote.Server(httpserver.url_for("/v1"), "tiny", retries=0)
    return list(remote.score(server, models[QWEN].spec, models[QWEN].tokens, INPUTS[:1]))
