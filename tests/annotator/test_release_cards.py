"""The cards of a release: written from the data, read by tools, silent about people, and true where measured."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard

from annotator.actions import releases
from annotator.actions.release_parquet import pyarrow, schema
from annotator.core import dataset_card
from annotator.core.croissant import NESTED
from annotator.core.labels import ERROR_TYPES
from annotator.core.record_columns import COLUMNS, Column, Kind
from annotator.models import (
    Annotation,
    Assignment,
    Import,
    Item,
    Membership,
    Phase,
    Project,
    Release,
    Sample,
    Use,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import PRMBENCH, imported, jsonl, record
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db
FORMATS = ["math_shepherd", "prm800k", "prmbench", "processbench", "qwen", "rlhflow", "trl"]
SPLITS = {"train": 0.6, "test": 0.4}


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Alice and Bob have judged the first two items, and disagree on the second."""
    project = factories.project(overlap=2, name="Sums <b>|`*")
    imported(project, PRMBENCH)
    alice, bob = (factories.member(project, name) for name in ("alice-secret", "bob-secret"))
    for n, item in enumerate(Item.objects.order_by("pk")[:2]):
        right = "+" * item.solution.n_steps
        submitted(alice, item, right)
        submitted(bob, item, "-" + right[1:] if n else right)
    Annotation.objects.filter(assignment__isnull=False).update(duration_ms=1_800_000)
    return project


def made(project: Project, **rule: Any) -> Release:
    """With everything in it, in two parts."""
    asked = {"which": "all", "formats": FORMATS, "splits": SPLITS, **rule}
    folder = Path(str(releases.settings.DATA_DIR)) / f"out{Release.objects.count()}"
    return releases.release_to(by=Operator(), project=project, rule=asked, folder=folder)


def text(row: Release, name: str = "README.md") -> str:
    return (Path(row.path) / name).read_text("utf-8")


def front(row: Release) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text(row).split("---\n")[1])
    return found


def lines(row: Release, name: str) -> list[dict[str, Any]]:
    """Records of a file, as lines or as one list."""
    said = text(row, name)
    return json.loads(said) if said.startswith("[") else [json.loads(one) for one in said.split("\n")[:-1]]


def test_the_card_is_one_that_the_hub_reads(project: Project) -> None:
    card = DatasetCard(text(made(project)))
    assert card.data.pretty_name == "Sums <b>|`* 1.0"
    assert card.data.license == ["unknown"]
    assert card.data.size_categories == ["n<1K"]
    assert card.text.lstrip().startswith(r"# Sums \<b\>\|\`\* 1.0")


def test_every_configuration_names_files_that_are_there(project: Project) -> None:
    row = made(project)
    configs = {one["config_name"]: one for one in front(row)["configs"]}
    assert set(configs) == {"records", *FORMATS}
    assert [name for name, one in configs.items() if one.get("default")] == ["records"]
    for name, config in configs.items():
        for file in config["data_files"]:
            assert re.fullmatch(r"\w+", file["split"])
            # One reader for all: `datasets` chooses it by the files of the whole card.
            assert file["path"].startswith(f"{name}/{file['split']}.json")
            assert lines(row, file["path"])


def test_the_records_have_the_types_that_the_card_says(project: Project) -> None:
    row = made(project)
    (info,) = front(row)["dataset_info"]
    features = {one["name"]: one for one in info["features"]}
    for split in SPLITS:
        for found in lines(row, f"records/{split}.jsonl"):
            assert set(found) == set(features)
            for name, value in found.items():
                assert fits(value, features[name]), (name, value)


def fits(value: Any, feature: dict[str, Any]) -> bool:
    """Whether a JSON value is of a feature's type, as `datasets` means it; null is of every type."""
    if value is None:
        return True
    if "list" in feature:
        members = {one["name"]: one for one in feature["list"]}
        return all(
            set(one) == set(members) and all(fits(part, members[name]) for name, part in one.items())
            for one in value
        )
    if "sequence" in feature:
        inner = feature["sequence"]
        return all(fits(one, inner if isinstance(inner, dict) else {"dtype": inner}) for one in value)
    types: dict[str, Callable[[Any], bool]] = {
        "string": lambda one: isinstance(one, str),
        "bool": lambda one: isinstance(one, bool),
        "int32": lambda one: isinstance(one, int) and not isinstance(one, bool),
        "float64": lambda one: isinstance(one, float | int),
    }
    return types[feature["dtype"]](value)


def test_the_columns_are_those_of_the_parquet_file() -> None:
    pa = pyarrow()
    kinds = {
        Kind.TEXT: pa.string(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.INTEGER: pa.int32(),
        Kind.FLOAT: pa.float64(),
    }

    def typed(column: Column) -> Any:
        found = kinds[column.kind]
        if column.members:
            found = pa.struct([(one.name, typed(one)) for one in column.members])
        for _ in range(column.depth):
            found = pa.list_(found)
        return found

    written = schema(pa)
    assert {one.name: typed(one) for one in COLUMNS} == dict(zip(written.names, written.types, strict=True))


def test_croissant_names_each_file_with_its_sum_and_each_column(project: Project) -> None:
    row = made(project)
    said = json.loads(text(row, "croissant.json"))
    assert (said["@type"], said["conformsTo"]) == ("sc:Dataset", "http://mlcommons.org/croissant/1.0")
    assert said["version"] == "1.0.0"
    files = {one["@id"]: one for one in said["distribution"]}
    cards = {"README.md", "datasheet.html", "croissant.json"}
    assert set(files) == {file["name"] for file in row.files} - cards
    for name, file in files.items():
        content = (Path(row.path) / name).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    assert [one["name"] for one in said["recordSet"]] == ["test", "train"]
    for part in said["recordSet"]:
        for field in part["field"]:
            assert field["source"]["fileObject"]["@id"] == f"records/{part['name']}.parquet"
        names = [field["source"]["extract"]["column"] for field in part["field"]]
        assert {*names, *NESTED.split(", ")} == {one.name for one in COLUMNS}
    ids = [field["@id"] for part in said["recordSet"] for field in part["field"]]
    assert len(set(ids)) == len(ids)


def test_without_parquet_croissant_reads_the_lines(project: Project) -> None:
    said = json.loads(text(made(project, parquet=False, formats=[], splits=None), "croissant.json"))
    (part,) = said["recordSet"]
    assert part["field"][0]["source"]["fileObject"] == {"@id": "records/train.jsonl"}


def test_the_datasheet_says_what_is_measured_and_what_is_not(project: Project) -> None:
    said = text(made(project))
    assert "reviewed by 2 reviewers" in said
    assert "- **Time on the project:** 2.0 hours" in said
    assert "the same label, of pairs of judgements" in said
    assert "| agreed | 1 |" in said
    assert "| conflicted | 1 |" in said
    for title in ("Accuracy", "Acceptance"):
        assert re.search(rf"## {title}\n\nNot measured\.", said)
    assert "Not measured: how often reviewers are right on probes." in said
    assert "with labels that reviewers have not agreed on" in said


def test_acceptance_and_the_pull_are_told_once_they_are_measured(project: Project) -> None:
    Item.objects.update(sample=Sample.objects.create(project=project, share=1.0))
    agreed = Item.objects.get(decision="agreed")
    alice = Membership.objects.get(user__username="alice-secret")
    third = Item.objects.order_by("pk")[2]
    submitted(alice, third, "+" * third.solution.n_steps, then="-" + "+" * (third.solution.n_steps - 1))
    said = text(made(project))
    assert "what is as claimed" in said
    # Agreed on as having no wrong step, so that its claim does not hold.
    title = next(kind.title for kind in ERROR_TYPES if kind.code == agreed.error_type)
    assert re.search(rf"\| {title} \| 0\.0.% \(0\.0 to [0-9.]+\) \| 1 \|", said)
    assert re.search(r"\| reviews with a label changed \| 20\.0.% ", said)


def test_probes_are_measured_and_are_no_reviewers_work(project: Project) -> None:
    item = Item.objects.filter(decision="agreed").get()
    carol = factories.member(project, "carol")
    probe = Assignment.objects.create(
        project=project, item=item, rater=carol.rater, state="submitted", purpose=Use.PROBE,
        submitted_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    Annotation.objects.create(
        solution=item.solution, rater=carol.rater, phase=Phase.BLIND, labels="+" * item.solution.n_steps,
        n_steps=item.solution.n_steps, first_error=-1, assignment=probe, finish_reason="solution",
        duration_ms=3_600_000,
    )  # fmt: skip
    said = text(made(project))
    assert re.search(r"\| items right \| 100\.0.% \(20\.7 to 100\.0\) \| 1 \|", said)
    assert "reviewed by 2 reviewers" in said
    assert "2.0 hours" in said


def test_no_card_names_a_person(project: Project) -> None:
    row = made(project)
    for file in row.files:
        content = (Path(row.path) / file["name"]).read_bytes()
        assert b"secret" not in content, file["name"]


def test_texts_of_the_data_mean_nothing_in_the_cards(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | [x](javascript:1) $$"
    project = factories.project(overlap=1, name=hostile)
    imported(project, jsonl(tmp_path / "a.jsonl", record(classification="deception")))
    Import.objects.update(names=[hostile], options={"licence": hostile})
    row = made(project, formats=[], splits=None)
    assert "<script>" not in text(row, "datasheet.html")
    body = text(row).split("---\n", 2)[2]
    assert "<script>" not in body.replace("\\<", "")
    assert not re.search(r"(?<!\\)\[x(?<!\\)\]", body)
    assert front(row)["license"] == [hostile]


@pytest.mark.parametrize(
    "said",
    ["Sums 𝟙🙂é", "\x00\x1f\x7f\x85\x9f", "a\u2028b\u2029c", "\ufeff\ufffe\uffff", '"\\\n\t: #', "\\u0041"],
)
def test_the_front_matter_is_read_as_it_was_said(said: str) -> None:
    assert yaml.safe_load(dataset_card.yaml({"pretty_name": said})) == {"pretty_name": said}


def test_licences_are_what_is_stated_of_all_sources(project: Project) -> None:
    Import.objects.update(options={"licence": "apache-2.0"})
    row = made(project)
    assert front(row)["license"] == ["apache-2.0"]
    assert json.loads(text(row, "croissant.json"))["license"] == ["apache-2.0"]
    assert "The licence of some" not in text(row)


def test_the_guidelines_lie_beside_the_cards(project: Project) -> None:
    assert text(made(project), "guidelines/v1.md") == factories.GUIDELINE


def test_the_same_data_give_the_same_cards(project: Project) -> None:
    first, second = made(project), made(project)
    for name in ("README.md", "datasheet.html", "croissant.json"):
        assert text(first, name) == text(second, name).replace("1.1", "1.0")


def test_the_sheet_stands_alone(project: Project) -> None:
    """One file: nothing is fetched, nothing runs."""
    page = text(made(project), "datasheet.html")
    assert not re.search(r"<script|<link|<img|src=|@import|url\(", page)
    assert "default-src 'none'" in page


# A reader written from the field list in the README of PRMBench alone: it knows nothing of Plumbline.
PRMBENCH_FIELDS: dict[str, type] = {
    "original_question": str, "modified_question": str, "original_process": list, "modified_process": list,
    "modified_steps": list, "error_steps": list, "reason": str, "idx": str, "question": str, "classification": str,
}  # fmt: skip
CLASSES = {
    "redundency", "circular", "counterfactual", "step_contradiction", "domain_inconsistency", "confidence",
    "missing_condition", "deception", "multi_solutions",
}  # fmt: skip


def read_as_its_readme_says(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_text("utf-8").split("\n")[:-1]:
        row = json.loads(line)
        extra = {"ground_truth", "original_response"} if row["classification"] == "multi_solutions" else set()
        assert set(row) == set(PRMBENCH_FIELDS) | extra
        assert all(isinstance(row[name], kind) for name, kind in PRMBENCH_FIELDS.items())
        assert row["classification"] in CLASSES
        assert all(
            isinstance(step, str) for name in ("original_process", "modified_process") for step in row[name]
        )
        for name in ("modified_steps", "error_steps"):
            assert all(type(step) is int and 1 <= step <= len(row["modified_process"]) for step in row[name])
        found.append(row)
    return found


def test_released_prmbench_feeds_a_reader_of_its_readme(tmp_path: Path) -> None:
    project = factories.project(overlap=1)
    kinds = sorted(CLASSES - {"multi_solutions"})
    records = [record(idx=f"own_{kind}", classification=kind) for kind in kinds]
    imported(project, jsonl(tmp_path / "a.jsonl", *records))
    alice = factories.member(project, "alice")
    submitted(alice, Item.objects.get(error_type="circular"), "-+")
    row = made(project, formats=["prmbench"], splits=None)
    found = {
        one["classification"]: one for one in read_as_its_readme_says(Path(row.path) / "prmbench/train.jsonl")
    }
    assert set(found) == set(kinds)
    assert found["circular"]["error_steps"] == [1]
    assert found["deception"]["error_steps"] == [2]
