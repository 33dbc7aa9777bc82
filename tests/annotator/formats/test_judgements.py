"""Files of judgements by format name, and the names of PRMBench's items."""

import io
import json
from typing import Any

import pytest

from annotator.formats import item_ids, judgements
from annotator.formats.records import AnnotationRecord, FormatError


def read(*records: dict[str, Any], **told: Any) -> list[AnnotationRecord | FormatError]:
    text = "".join(json.dumps(record) + "\n" for record in records)
    return list(judgements.reader("jsonl", **told).read(io.BytesIO(text.encode()), "f"))


def test_without_a_map_members_go_by_our_words() -> None:
    row = {"id": "a", "digest": "d", "labels": "+-", "scores": [0.9, 0.1], "first_error": 1, "rater": "ann"}
    (found,) = read(row)
    assert isinstance(found, AnnotationRecord)
    assert (found.foreign_id, found.digest, found.annotator) == ("a", "d", "ann")
    assert (found.labels, found.scores, found.first_error, found.extra) == ("+-", (0.9, 0.1), 1, "")


def test_a_map_of_judgements_alone_finds_solutions_by_the_usual_names() -> None:
    (found,) = read({"id": "a", "labels": "not theirs", "out": [0.9]}, map="scores=out")
    assert isinstance(found, AnnotationRecord)
    assert (found.foreign_id, found.labels, found.scores) == ("a", None, (0.9,))


def test_what_zero_means_must_be_said() -> None:
    row = {"id": "a", "labels": [1, 0]}
    (unsaid,), (wrong,) = read(row), read(row, zero="wrong")
    assert isinstance(unsaid, FormatError)
    assert isinstance(wrong, AnnotationRecord)
    assert wrong.labels == "+-"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id=a,steps=b", "steps is not read here"),
        ("labels=a,meta=b", "meta is not read here"),
        ("id=a", "labels, scores or first error"),
        ("labels", "needs a place"),
    ],
)
def test_maps_that_cannot_be(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        judgements.reader("jsonl", map=text)


def test_errors_name_the_field_that_the_map_gave() -> None:
    reader = judgements.reader("jsonl", map="id=meta.uid,digest=sha,first_error=out.0,rater=by")
    assert (reader.id, reader.digest, reader.first_error, reader.rater) == ("meta.uid", "sha", "out.0", "by")


@pytest.mark.parametrize("text", ["", "id=a,labels=b"])
def test_only_a_map_that_somebody_wrote_maps_the_rater(text: str) -> None:
    assert not judgements.maps_rater(text)
    assert judgements.maps_rater("id=a,labels=b,rater=c")


@pytest.mark.parametrize("name", judgements.NAMES)
def test_every_format_has_a_reader(name: str) -> None:
    assert judgements.reader(name).id


@pytest.mark.parametrize(
    ("idx", "others", "base"),
    [
        ("circular_p1_7", (), None),
        ("circular_circular_p1_7", ("circular_p1_7",), None),
        ("multi_solutions_multi_solutions_p2", ("multi_solutions_p2",), None),
        ("circular_deception_p1_7", (), None),
        ("correct_p1_7", (), "p1_7"),
        ("correct_redundency_p1_7", ("correct_p1_7",), "redundency_p1_7"),
    ],
)
def test_names_of_prmbench_items(idx: str, others: tuple[str, ...], base: str | None) -> None:
    assert item_ids.other_names(idx) == others
    assert item_ids.correct_base(idx) == base
