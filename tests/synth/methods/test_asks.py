"""The contract between methods and what drives them."""

import pytest

from synth.methods.asks import Ask, Check, Reply, Steps, ask, check, digest_of

QUESTION = Ask(({"role": "user", "content": "What is 2 + 2?"},), {"temperature": 0.5, "seed": 1})


def test_equal_requests_have_equal_digests_whatever_the_order_of_their_members() -> None:
    same = Ask(({"content": "What is 2 + 2?", "role": "user"},), {"seed": 1, "temperature": 0.5})
    assert digest_of("a", same) == digest_of("a", QUESTION)


@pytest.mark.parametrize(
    ("model", "other"),
    [
        ("b", QUESTION),
        ("a", Ask(({"role": "user", "content": "What is 2 + 3?"},), QUESTION.params)),
        ("a", Ask(QUESTION.messages, {"temperature": 0.5, "seed": 2})),
        ("a", Ask(QUESTION.messages, QUESTION.params, {"type": "object"})),
        ("a", Ask(QUESTION.messages, QUESTION.params, None, 1)),
    ],
)
def test_what_differs_in_anything_has_another_digest(model: str, other: Ask) -> None:
    assert digest_of(model, other) != digest_of("a", QUESTION)


def both() -> Steps[tuple[str, str]]:
    (reply,) = yield from ask(QUESTION)
    (verdict,) = yield from check(Check("4", reply.text))
    return reply.text, verdict


def test_a_method_gets_replies_for_requests_and_verdicts_for_checks() -> None:
    method = both()
    assert next(method) == (QUESTION,)
    assert method.send([Reply("4")]) == (Check("4", "4"),)
    with pytest.raises(StopIteration) as end:
        method.send(["right"])
    assert end.value.value == ("4", "right")


@pytest.mark.parametrize("answers", [[], ["right"], [Reply("4"), Reply("4")]])
def test_a_driver_that_answers_otherwise_is_told_at_once(answers: list[Reply]) -> None:
    method = both()
    next(method)
    with pytest.raises(TypeError, match="requests were answered"):
        method.send(answers)


def test_verdicts_too_are_counted() -> None:
    method = both()
    next(method)
    method.send([Reply("4")])
    with pytest.raises(TypeError, match="checks were answered"):
        method.send([Reply("4")])


def test_nothing_is_yielded_for_nothing() -> None:
    with pytest.raises(StopIteration) as end:
        next(check())
    assert end.value.value == ()
