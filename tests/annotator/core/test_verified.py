from annotator.core import verified as v


def test_a_step_labelled_together_with_others_or_not_at_all_got_no_act_of_its_own() -> None:
    assert v.acts("++-?.", [1]) == [True, False, True, True, False]
    assert v.acts("+", None) == [True]


def test_somebody_has_to_have_given_the_very_label_that_goes_out() -> None:
    one, two = ("+-+", [0]), ("+++", [1, 2])
    assert v.verified("+-+", [one, two]) == [True, True, True]
    assert v.verified("+++", [one, two]) == [True, False, True]  # the second + is of bulk alone
    assert v.verified("+-+", []) == [False, False, False]


def test_unsure_and_unjudged_verify_nothing() -> None:
    assert v.verified("?.+", [("?.+", None)]) == [False, False, True]


def test_a_solution_is_verified_as_far_as_it_is_judged() -> None:
    assert v.is_whole("+-..", [True, True, False, False])
    assert not v.is_whole("+-+.", [True, False, True, False])
    assert not v.is_whole("..", [False, False])


def test_a_verdict_on_the_whole_verifies_the_solution_and_unsure_does_not() -> None:
    assert v.of_solution({"right": "yes"})
    assert v.of_solution({"right": "no", "different": "unsure"})
    assert not v.of_solution({"right": "unsure"})
    assert not v.of_solution({"claim": "accept"})
    assert not v.of_solution(None)
