"""Reading a reply: JSON in whatever surroundings, and texts that a database takes."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.judgement import storable
from synth.methods.asks import Reply
from synth.methods.replies import clean, json_object, unfinished, without_thinking

WANTED = {"steps": ["a", "b"], "reason": "since"}
JSON = json.dumps(WANTED)


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"```json\n{JSON}\n```",
        f"Here it is: {JSON} I hope that helps {{really}}.",
        f"The set {{1, 2}} and \\frac{{1}}{{2}} first.\n\n{JSON}",
        f'<think>{{"steps": ["x"], "reason": "a draft"}}</think>{JSON}',
        f'{{"steps": ["x"], "reason": "an older one"}} No: {JSON}',
        f'{{"other": {JSON}}} {JSON}',
        f'{JSON} {{"steps": ["not all members"]}}',
        f'{JSON} {{"steps": ["never closed"',
        '{"steps": ["a", "b"],\n "reason": "since", }'.replace(", }", "}"),
    ],
)
def test_the_last_object_with_the_wanted_members_counts(text: str) -> None:
    assert json_object(text, ("steps", "reason")) == WANTED


def test_an_object_inside_another_is_a_part_of_it() -> None:
    assert json_object(f'{{"other": {JSON}}}', ("steps",)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no braces",
        "{",
        "}{",
        "[1, 2]",
        '{"steps": 1',
        '{"reason": NaN,}',
        "<think>{}",
        '{"a":' * 3000 + "}" * 3000,
        "{" * 500 + "}" * 500,
    ],
)
def test_what_has_none_has_none(text: str) -> None:
    assert json_object(text, ("steps",)) is None


def test_marks_of_comments_inside_texts_are_text() -> None:
    assert json_object('{"a": "# of 3 // 4 {"}', ("a",)) == {"a": "# of 3 // 4 {"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\\frac{1}{2} \\neq 1", r"\frac{1}{2} \neq 1"),
        (r"\frac{1}{2} \neq 1", r"\frac{1}{2} \neq 1"),
        (r"\(x\) \boxed{3}", r"\(x\) \boxed{3}"),
        (r"\\(x\\) then \\boxed{3}", r"\(x\) then \boxed{3}"),
        (r"so \\(x\\) and \\(y\\), \boxed{3}\nThus", "so \\(x\\) and \\(y\\), \\boxed{3}\nThus"),
        (r"\begin{pmatrix} a \\ b \end{pmatrix}", r"\begin{pmatrix} a \\ b \end{pmatrix}"),
        (r"one\ntwo\tthree \"four\" caf\u00e9s", 'one\ntwo\tthree "four" cafés'),
        (r"\times 3\nThus \alpha", "\\times 3\nThus \\alpha"),
        ("a real\nnew line", "a real\nnew line"),
        (r"\u0000 \ud800 \ud83d\ude00", "\ufffd \ufffd \U0001f600"),
    ],
)
def test_tex_is_read_as_meant(written: str, meant: str) -> None:
    assert json_object(f'{{"a": "{written}"}}', ("a",)) == {"a": meant}


def test_talk_in_tex_before_an_object_does_not_change_how_the_object_is_read() -> None:
    assert json_object(r'As \(x\) \neq \frac12: {"a": "\\frac12"}', ("a",)) == {"a": r"\frac12"}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.dictionaries(st.text(alphabet="abc"), st.text(alphabet='ab {}"\n,:[]#/'), min_size=1),
    st.text("ab {}\n"),
)
def test_json_is_read_as_json_whatever_braces_and_quotes_are_in_its_texts(
    value: dict[str, str], before: str
) -> None:
    assert json_object(before + "\n" + json.dumps(value), value) == value


@given(st.text(alphabet='{}"\\abn:,[] \ud800\0u0', max_size=60) | st.text())
@settings(deadline=None)
def test_no_text_raises(text: str) -> None:
    found: Any = json_object(text, ("a",))
    assert found is None or storable(json.dumps(found, ensure_ascii=False))
    assert storable(clean(text))


def test_the_search_takes_seconds_at_most_whatever_braces_there_are() -> None:
    started = time.process_time()
    for text in ("{" * 200_000, '{"a":' * 40_000, '{"' * 100_000, "{}" * 100_000):
        json_object(text, ("a",))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("text", "said"),
    [("<think>hm</think> yes", " yes"), ("<think>hm", ""), ("yes", "yes"), ("a </THINKING>b", "b")],
)
def test_thinking_is_no_part_of_what_is_said(text: str, said: str) -> None:
    assert without_thinking(text) == said


def test_what_was_cut_off_or_refused_is_told() -> None:
    told = [unfinished(Reply("", reason)) for reason in ("stop", "length", "content_filter", "refusal")]
    assert [bool(one) for one in told] == [False, True, True, True]
