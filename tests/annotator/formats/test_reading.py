"""Places and faults of files, whatever their format."""

import contextlib
import gzip
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import reading
from annotator.formats.decoding import RawRecord
from annotator.formats.reading import read_json_list, read_jsonl, read_records
from annotator.formats.records import UnreadableFile


def outcomes(data: bytes, name: str = "f.jsonl") -> list[str]:
    """Say what comes out: a record's line and fields, or the error."""
    return [
        f"{item.place.line} {json.dumps(item.fields, ensure_ascii=False)}"
        if isinstance(item, RawRecord)
        else str(item)
        for item in read_records(io.BytesIO(data), name)
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": 1}', '2 {"a": 1}'),
        (b'  {"a": "\xe2\x80\xa8"}\r', '2 {"a": "\u2028"}'),
        (b"[1]", "f.jsonl, line 2: must be a JSON object, not a list"),
        (b'"x"', "f.jsonl, line 2: must be a JSON object, not 'x'"),
        (b"null", "f.jsonl, line 2: must be a JSON object, not null"),
        (
            b"{'a': 1}",
            "f.jsonl, line 2: is not JSON: Expecting property name enclosed in double quotes at character 2",
        ),
        (b'{"a": 1} {"b": 2}', "f.jsonl, line 2: is not JSON: more text at character 9"),
        (b'{"a": "x\x00"}', "f.jsonl, line 2: is not JSON: Invalid control character at at character 9"),
        (b'{"a": 1, "b": 2, "a": 1}', "f.jsonl, line 2, a: is given twice"),
        (b'{"a": {"b": 1, "b": 1}}', "f.jsonl, line 2, b: is given twice"),
        (b'{"a": [1, NaN]}', "f.jsonl, line 2, a[1]: must be a number, not NaN"),
        (b'{"a": {"b": -Infinity}}', "f.jsonl, line 2, a.b: must be a number, not -Infinity"),
        (b'{"steps": ["x", "\\u0000"]}', "f.jsonl, line 2, steps[1]: holds the character NUL"),
        (
            b'{"steps": ["\\uD83D and more"]}',
            "f.jsonl, line 2, steps[0]: holds half of a character (the lone surrogate U+D83D)",
        ),
        (b'{"k\\u0000": 1}', "f.jsonl, line 2, k\\x00: holds the character NUL"),
        (b'{"a": "\\ud83d\\ude00 \\\\u0000 \\\\ud800"}', '2 {"a": "😀 \\\\u0000 \\\\ud800"}'),
        (b'{"a": ' + b"9" * 5000 + b"}", "f.jsonl, line 2: holds a number that is too long"),
        (b'{"a": ' + b"[" * 9000 + b"]" * 9000 + b"}", "f.jsonl, line 2: is nested too deeply"),
    ],
)
def test_line(line: bytes, expected: str) -> None:
    good = b'{"good": true}'
    assert outcomes(good + b"\n" + line + b"\n" + good) == ['1 {"good": true}', expected, '3 {"good": true}']


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (b"[]", []),
        (b" [ \n ] \n", []),
        (b'\n\n{"a": 1}\n\n{"a": 2}', ['3 {"a": 1}', '5 {"a": 2}']),
        (b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n', ['1 {"a": 1}', '2 {"a": 2}']),
        (b'\xef\xbb\xbf\n[\n{\n"a": 1},\n\n  {"a": 2}]', ['3 {"a": 1}', '6 {"a": 2}']),
        (
            b'[{"a": 1}, 7,\n"x", {"b": 1, "b": 2},\n{"c": ["\\u0000"]}, {"d": [{"e": NaN}]}]',
            [
                '1 {"a": 1}',
                "f.jsonl, line 1: must be a JSON object, not 7",
                "f.jsonl, line 2: must be a JSON object, not 'x'",
                "f.jsonl, line 2, b: is given twice",
                "f.jsonl, line 3, c[0]: holds the character NUL",
                "f.jsonl, line 3, d[0].e: must be a number, not NaN",
            ],
        ),
    ],
)
def test_file(data: bytes, expected: list[str]) -> None:
    assert outcomes(data) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1}\n{"a": "\xff"}', "f.jsonl, line 2: is not UTF-8 (byte 8 of the line)"),
        ('{"a": 1}'.encode("utf-16"), "f.jsonl, line 1: is not UTF-8 (byte 1 of the line)"),
        (b'{"a": "\xed\xa0\x80"}', "f.jsonl, line 1: is not UTF-8 (byte 8 of the line)"),
        (b'[{"a": 1},\n{"a":\n"\xff"}]', "f.jsonl, line 3: is not UTF-8"),
        (b'[{"a": 1},\n{"a": "\xe2\x80', "f.jsonl, line 2: is not UTF-8"),
        (b'[{"a": 1}\n{"a": 2}]', "f.jsonl, line 2: must have ',' or ']' here"),
        (b'[{"a": 1},\n]', "f.jsonl, line 2: holds a record that is not JSON: Expecting value"),
        (b'[\n{"a": 1}\n', "f.jsonl, line 3: ends before its list does"),
        (b'[\n{"a": 1, ', "f.jsonl, line 2: holds a record that is not JSON: Expecting property name enclosed"
         " in double quotes"),
        (b'[{"a": "x', "f.jsonl, line 1: holds a record that is not JSON: Unterminated string starting at"),
        (b"[{}]\n7", "f.jsonl, line 2: goes on after its list has ended"),
        (b"[" * 9000, "f.jsonl, line 1: holds a record that is nested too deeply"),
    ],
)  # fmt: skip
def test_unreadable(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        outcomes(data)
    assert str(caught.value) == message


def test_good_records_come_before_the_file_breaks() -> None:
    items = read_records(io.BytesIO(b'{"a": 1}\n\xff'), "f")
    assert isinstance(next(items), RawRecord)
    with pytest.raises(UnreadableFile):
        next(items)


def test_each_kind_by_itself() -> None:
    assert [str(e) for e in read_jsonl(io.BytesIO(b"[{}]"), "f")] == [
        "f, line 1: must be a JSON object, not a list"
    ]
    with pytest.raises(UnreadableFile, match="f, line 1: must be a JSON list"):
        list(read_json_list(io.BytesIO(b"{}"), "f"))


def test_gzip_by_path_and_by_file(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"a": 1}')
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(packed)
    by_path = list(read_records(path, "x.jsonl.GZ"))
    by_file = list(read_records(io.BytesIO(packed), "x.jsonl.gz"))
    assert [item.fields for item in by_path + by_file if isinstance(item, RawRecord)] == [{"a": 1}] * 2


@pytest.mark.parametrize(
    "data",
    [b"no gzip", gzip.compress(b'{"a": 1}', mtime=0)[:-4], gzip.compress(b"{}", mtime=0)[:8] + b"junk"],
)
def test_broken_gzip(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"^f\.gz: is broken gzip: "):
        outcomes(data, "f.gz")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^gone: cannot be read: No such file or directory$"):
        list(read_records(tmp_path / "gone", "gone"))


def test_file_is_left_open() -> None:
    file = io.BytesIO(b"{}")
    list(read_records(file, "f"))
    assert not file.closed


@pytest.mark.parametrize("data", [b'{}\n{"a": "' + b"x" * 300, b'[{},\n{"a": "' + b"x" * 300])
def test_a_record_without_end_does_not_fill_the_memory(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_RECORD", 100)
    monkeypatch.setattr(reading, "CHUNK", 16)
    with pytest.raises(UnreadableFile, match=r"^f\.jsonl, line 2: .*longer than 100"):
        outcomes(data)


def test_a_broken_list_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK", 64)
    file = io.BytesIO(b'[{"a" 1},' + b" " * 10_000)
    with pytest.raises(UnreadableFile, match="Expecting ':' delimiter"):
        list(read_records(file, "f"))
    assert file.tell() <= 128


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from("ab,]}\n"), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
objects = st.dictionaries(st.sampled_from(["x", "ü", "steps", ""]), values)


@given(
    rows=st.lists(objects, max_size=5),
    chunk=st.integers(1, 40),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_any_list_in_any_pieces(
    rows: list[dict[str, object]], chunk: int, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(rows, ensure_ascii=ascii_only, indent=indent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        found = [
            item for item in read_json_list(io.BytesIO(text.encode()), "f") if isinstance(item, RawRecord)
        ]
    assert [item.fields for item in found] == rows
    assert [json.loads(item.text) for item in found] == rows
    assert [text.split("\n")[item.place.line - 1].lstrip(" [")[:1] for item in found] == ["{"] * len(rows)


@given(rows=st.lists(objects, max_size=5), chunk=st.integers(1, 40), ascii_only=st.booleans())
def test_any_lines_in_any_pieces(rows: list[dict[str, object]], chunk: int, ascii_only: bool) -> None:
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK", chunk)
        found = list(read_jsonl(io.BytesIO("\n".join(lines).encode()), "f"))
    assert [(item.place.line, item.text) for item in found if isinstance(item, RawRecord)] == list(
        enumerate(lines, 1)
    )


@given(data=st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u0d8\n 1aN', max_size=60).map(str.encode))
def test_any_bytes_give_records_or_named_errors(data: bytes) -> None:
    with contextlib.suppress(UnreadableFile):
        assert all(re.match(r"\d+ \{|f\.jsonl, line \d", told) for told in outcomes(data))
