"""Foreign files for the tests of imports and exports, and imports run to their end as a worker would."""

import json
from pathlib import Path
from typing import Any

from django.forms.models import model_to_dict

from annotator.actions import import_check, import_write, imports
from annotator.actions.import_files import find_files
from annotator.models import Annotation, Import, Injection, Item, Problem, Project, Solution, TransferState
from annotator.policies import Operator

DATA = Path(__file__).resolve().parent.parent / "data"
PRMBENCH, PROCESSBENCH = DATA / "prmbench.jsonl", DATA / "processbench.json"


def record(**changes: Any) -> dict[str, Any]:
    """A sound PRMBench record; a change to ... leaves the field out."""
    fields: dict[str, Any] = {
        "original_question": "What is 1 + 2?",
        "modified_question": "What is 1 + 2?",
        "original_process": ["Add the two numbers.", "It is 3."],
        "modified_process": ["Add the two numbers.", "It is 4."],
        "modified_steps": [2],
        "error_steps": [2],
        "reason": "It is 3.",
        "idx": "own_1",
        "question": "What is 1 + 2?",
        "classification": "counterfactual",
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def many(n: int) -> list[dict[str, Any]]:
    """Records of different problems, all of them sound."""
    return [
        record(idx=f"own_{i}", original_question=f"{i} + 2?", modified_question=f"{i} + 2?") for i in range(n)
    ]


def jsonl(path: Path, *records: dict[str, Any] | str) -> Path:
    """A file with a line for each; text goes in as it is."""
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def opened(project: Project, *paths: Path, format: str = "prmbench", **options: Any) -> Import:
    files = find_files(map(str, paths))
    return imports.open_import(by=Operator(), project=project, format=format, files=files, **options)


def checked(project: Project, *paths: Path, **options: Any) -> Import:
    return import_check.check(row=opened(project, *paths, **options))


def imported(project: Project, *paths: Path, **options: Any) -> Import:
    """Check and write, whatever the check says of single records."""
    row = checked(project, *paths, **options)
    assert row.state == TransferState.CHECKED, row.error
    import_write.begin(row)
    return import_write.write(row=row)


def rows_of(project: Project) -> list[list[dict[str, Any]]]:
    """All that an import writes, without what differs between two of the same file: ids and times."""
    return [
        [_plain(row) for row in Problem.objects.filter(project=project).order_by("key")],
        [_plain(row) for row in Solution.objects.filter(project=project).order_by("key")],
        [_plain(row) for row in Injection.objects.filter(child__project=project).order_by("child__key")],
        [
            _plain(row)
            for row in Annotation.objects.filter(solution__project=project).order_by("solution__key")
        ],
        [_plain(row) for row in Item.objects.filter(project=project).order_by("solution__key")],
    ]


def _plain(row: Any) -> dict[str, Any]:
    links = {field.name: getattr(row, field.name) for field in row._meta.fields if field.is_relation}
    named = {
        name: (getattr(link, "key", None) or str(link)) if link else None
        for name, link in links.items()
        if name not in ("project", "source_import")
    }
    values = model_to_dict(row, exclude=[*links, "id"])
    return values | named
