import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import answers
from annotator.core.align import strip_number
from annotator.core.checks import CODES, Finding, Injection, check
from annotator.core.labels import ERROR_TYPES
from tests.made import MADE

PROBLEM = "What is twice the sum of 3 and 4?"
ORIGINAL = ["1. The sum is $3 + 4 = 7$.", "2. Twice that is $2 \\cdot 7 = 14$.", "3. So the answer is 14."]

texts = st.lists(
    st.sampled_from(["1. ", "Step 2. ", "\n", "\n\n", " ", "wrong", "the answer is ", "5", "= ", "\\boxed{",
                     "}", "x", "A", "$"]),
    max_size=10,
).map("".join) | st.text(max_size=30)  # fmt: skip
solutions = st.lists(texts, min_size=1, max_size=6)
numbers = st.lists(st.integers(-2, 9), max_size=5)


def injected(*steps, changed=(), wrong=(), kind="deception", problem=PROBLEM, original=ORIGINAL, **more):
    injection = Injection(PROBLEM, original, kind, changed, wrong)
    return check(steps, problem=problem, injection=injection, **more)


def found(findings, *codes):
    """What was found of some codes: (code, position, detail)."""
    return [tuple(finding) for finding in findings if finding.code in codes]


def plain(*steps, problem=PROBLEM, **more):
    return check(steps, problem=problem, **more)


def test_codes_are_explained():
    assert list(CODES)[:3] == ["wrong_out_of_range", "wrong_not_changed", "wrong_is_original"]
    assert len(CODES) == 14
    assert len({code.title for code in CODES.values()}) == 14
    for code in CODES.values():
        assert code.meaning.endswith(".")
        assert code.advice.endswith(".")


def test_only_what_makes_the_record_doubtful_raises_priority():
    assert [name for name, code in CODES.items() if not code.raises_priority] == [
        "changed_unclaimed", "question_changed", "gives_away", "several_steps", "other_answer", "arithmetic",
    ]  # fmt: skip


def test_a_sound_injection_has_no_findings():
    steps = [*ORIGINAL[:1], "2. Twice that is more than 14.", "3. So the answer is 16."]
    assert injected(*steps, changed=[2, 3], wrong=[2, 3], foreign_id="a", seen={"b"}) == []


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.kind)
def test_the_made_records_are_sound_but_for_what_they_are_made_for(made):
    old = {strip_number(step) for step in made.steps}
    changed = [n for n, step in enumerate(made.changed_steps, 1) if strip_number(step) not in old]
    injection = Injection(made.question, made.steps, made.kind, changed, made.wrong)
    findings = check(made.changed_steps, problem=made.changed_question or made.question, injection=injection)
    assert {finding.code for finding in findings} <= {"question_changed", "wrong_not_changed"}


def test_an_injection_claims_steps_that_are_not_there():
    findings = injected(ORIGINAL[0], "2. b", "3. c", changed=[2, 3, 9], wrong=[9, 2, 0, 9])
    assert found(findings, "wrong_out_of_range") == [
        ("wrong_out_of_range", None, "step 0 of 3"),
        ("wrong_out_of_range", None, "step 9 of 3"),
    ]


def test_wrong_steps_are_among_the_changed_ones():
    findings = injected("1. a", "2. b", "3. c", changed=[2], wrong=[3, 2, 7])
    assert found(findings, "wrong_not_changed") == [
        ("wrong_not_changed", 2, ""),
        ("wrong_not_changed", None, "step 7 of 3"),
    ]


def test_steps_are_compared_without_numbers_and_with_any_step_of_the_original():
    findings = injected("1. New.", "Step 2: The sum is $3 + 4 = 7$. ", "3. b", changed=[1, 2, 3], wrong=[2])
    assert found(findings, "wrong_is_original") == [("wrong_is_original", 1, "step 1 of the original")]
    assert found(findings, "changed_verbatim") == [("changed_verbatim", 1, "step 1 of the original")]


def test_inserting_a_step_changes_none_after_it():
    steps = [
        "1. The sum is $3 + 4 = 7$.",
        "2. New.",
        "3. Twice that is $2 \\cdot 7 = 14$.",
        "4. So the answer is 14.",
    ]
    assert injected(*steps, changed=[2], wrong=[2]) == []
    assert found(injected(*steps, changed=[], wrong=[]), "changed_unclaimed") == [
        ("changed_unclaimed", 1, "")
    ]


def test_nothing_changed():
    assert found(injected(*ORIGINAL, changed=[2], wrong=[2]), "no_op") == [("no_op", None, "")]
    renumbered = [step[3:] for step in ORIGINAL]
    findings = injected(*renumbered, changed=[], problem="What is 7 + 7?", kind="missing_condition")
    assert findings == [Finding("no_op", None, "the problem is changed")]


@pytest.mark.parametrize("step", ["", " ", "\n\t"])
def test_an_empty_step(step):
    assert plain("a", step, "b") == [Finding("empty_step", 1, "")]


def test_an_id_that_was_there():
    assert plain("a", foreign_id="x", seen={"x"}) == [Finding("duplicate_id", None, "x")]
    assert plain("a", foreign_id="", seen={""}) == []


@pytest.mark.parametrize("kind", [*(t.code for t in ERROR_TYPES), "multi_solutions", "of our own"])
def test_only_a_missing_condition_may_change_the_problem(kind):
    findings = injected("a", changed=[1], problem="What is twice 3?", kind=kind)
    expected = [] if kind == "missing_condition" else [("question_changed", None, "")]
    assert found(findings, "question_changed") == expected


def test_a_problem_that_differs_in_blanks_is_changed_but_says_so():
    findings = injected("a", changed=[1], problem=PROBLEM.replace(" ", "  "))
    assert findings == [Finding("question_changed", None, "only in blanks")]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("Incorrectly, this is 12. Incorrectly!", "incorrectly"),
        ("This wrongly ignores an error.", "wrongly, error"),
        ("Let us assume the answer is 14.", "assume the answer"),
        ("A redundant step.", "redundant"),
        ("This contradicts step 1.", "contradicts"),
        ("By trial and error we get 14.", ""),
        ("With a margin of error of 1.", ""),
        ("Suppose not; a contradiction.", ""),
        ("Assume that $n$ is odd.", ""),
        ("A terror.", ""),
    ],
)
def test_words_that_give_the_error_away(step, words):
    expected = [("gives_away", 0, words)] if words else []
    assert found(injected(step, changed=[1]), "gives_away") == expected


def test_words_of_the_original_or_the_problem_give_nothing_away():
    step = "This is wrong."
    assert not found(injected(step, changed=[1], original=["Is it wrong?"]), "gives_away")
    assert not found(injected(step, changed=[1], problem="What is wrong?"), "gives_away")
    assert found(injected(step, changed=[1], original=["An error."]), "gives_away")


def test_only_an_injected_error_can_be_given_away():
    assert plain("This is wrong.") == []
    assert not found(injected("Hm, wrong.", kind="multi_solutions"), "gives_away", "changed_unclaimed")


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        ("a\n\nb", "2 paragraphs"),
        ("a\n \n\n b\n\nc", "3 paragraphs"),
        ("Step 1. a\nStep 2. b", "several numbered steps"),
        ("1. a\n2. b\n3. c", "several numbered steps"),
        ("a\nb", ""),
        ("Step 4. The list:\n1. a\n2. b", ""),
        ("3. So it is\n5. That is odd.", ""),
        ("a\n\n", ""),
        ("So it is 14.\n\n# Answer\n\n14", ""),
        ("So it is 14.\n\n**Final Answer**\n\n\\[\\boxed{14}\\]", ""),
    ],
)
def test_several_steps_in_one(step, detail):
    assert plain(step) == ([Finding("several_steps", 0, detail)] if detail else [])


def test_another_answer_than_the_reference():
    assert plain("a", "So it is $\\boxed{15}$.", answer="14") == [Finding("other_answer", 1, "15, not 14")]
    assert plain("So it is $\\boxed{14}$.", answer="14") == []
    assert plain("So it is $\\boxed{15}$.", answer=None) == []


@pytest.mark.parametrize(
    ("kind", "is_told"), [("redundancy", True), ("multi_solutions", True), ("deception", False)]
)
def test_an_injected_error_may_change_the_answer(kind, is_told):
    findings = injected("The answer is 15.", changed=[1], kind=kind, answer="14")
    assert bool(found(findings, "other_answer")) is is_told


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("\\[\\boxed{\\frac{1}{2}}\\]", "\\frac{1}{2}"),
        ("$\\boxed{3}$, that is $\\boxed{3}$", "3"),
        ("$\\boxed{3}$ and $\\boxed{4}$", None),
        ("$\\boxed{3$", None),
        ("So.\n\n# Answer\n\n40,\\!000", "40,\\!000"),
        ("So.\n\n   **Final Answer**\n\n   12 \n", "12"),
        ("The answer is $x = 3$.", "$x = 3$"),
        ("So the final answer is: 1,200 dollars.", "1,200"),
        ("The answer is 3 if $x$ is 2, else 4.", None),
        ("The answer is clear.", None),
        ("Right.", None),
    ],
)
def test_the_final_answer(step, answer):
    assert answers.final_answer(["The answer is 1.", step]) == answer


@pytest.mark.parametrize(
    ("answer", "reference", "is_other"),
    [
        ("15", "14", True), ("14", "14", False), ("58500", "58,500", False), ("585000", "58,500", True),
        ("\\dfrac{5}{9}", "5/9", False), ("\\frac 59", "5/9", False),
        ("\\frac{5}{9}", "\\frac{4}{9}", True),
        ("$x = 3$", "4", True), ("\\$39", "39", False), ("29 cents", "0.29", False),
        ("29\\text{ cents}", "30", True),
        ("30^\\circ", "30", False), ("50%", "0.5", False), ("50%", "50", False), ("0.33", "\\frac13", False),
        ("(B)", "\\text{B}", False), ("B", "C", True), ("B", "3", False), ("(-1,6)", "(1,6)", False),
        ("16\\sqrt{3}", "16", False), ("40_9", "40", False), ("y = 2x", "2", False), ("3, 4", "3", False),
        ("", "3", False),
    ],
)  # fmt: skip
def test_answers_are_other_only_when_that_is_sure(answer, reference, is_other):
    assert answers.is_other(answer, reference) is is_other


def test_arithmetic_in_a_step():
    findings = plain("Fine.", "So $3 \\cdot 4 = 13$.")
    assert findings == [Finding("arithmetic", 1, "3 \\cdot 4 = 13: 12 and 13")]
    assert plain("So $3 + 4 = 12$.", problem="Add 3 and 4 in base 5.") == []


def test_huge_numbers_are_shown_short():
    (finding,) = plain("So $2^{100} = 1$.")
    assert finding.detail == "2^{100} = 1: 1.26765e+30 and 1"


@given(
    solutions,
    solutions,
    numbers,
    numbers,
    texts,
    st.sampled_from(["deception", "redundancy", "multi_solutions"]),
)
def test_any_record_can_be_checked(steps, original, changed, wrong, answer, kind):
    injection = Injection("p", original, kind, changed, wrong)
    for finding in check(steps, problem="q", answer=answer, injection=injection, foreign_id="a", seen={"a"}):
        assert finding.code in CODES
        assert finding.position is None or 0 <= finding.position < len(steps)


@given(solutions)
def test_a_solution_differs_from_itself_in_nothing(steps):
    injection = Injection("p", steps, "deception", [], [])
    codes = {finding.code for finding in check(steps, problem="p", injection=injection)}
    assert "no_op" in codes
    assert not codes & {"changed_unclaimed", "gives_away", "question_changed"}


@pytest.mark.parametrize(
    "step",
    ["\n" * 100_000, "\n " * 50_000 + "x", "\\boxed{" * 20_000, "answer is " * 20_000, "wrong " * 20_000,
     "1. a\n" * 20_000,
     "a" * 100_000, "# Answer\n" * 10_000, "the answer is 3 " + "ab " * 60 + "!",
     "\\boxed{5 " + "ab" * 90 + "!}"],
    ids=range(10),
)  # fmt: skip
def test_no_text_takes_long(step):
    start = time.process_time()
    injected(step, changed=[1], answer="3", kind="redundancy")
    assert time.process_time() - start < 2  # about 0.05 s, and a collection of garbage may fall into it


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("29", "29", "same"),
        ("$29$.", "29.0", "same"),
        ("1/2", "0.5", "same"),
        ("\\frac{1}{2}", "\\dfrac12", "same"),
        ("(A)", "A", "same"),
        ("B", "A", "another"),
        ("30", "29", "another"),
        ("A", "36", "unknown"),
        ("29 cents", "0.29", "unknown"),
        ("1.333", "4/3", "unknown"),
        ("16\\sqrt{3}", "16 \\sqrt{3}", "same"),
        ("2x = y", "y = 2x", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_two_answers_are_the_same_another_or_neither_for_sure(
    answer: str, reference: str, expected: str
) -> None:
    assert answers.compare(answer, reference) == expected
