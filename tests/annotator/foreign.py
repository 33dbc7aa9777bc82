"""Foreign files for the tests of imports and exports, and imports run to their end as a worker would."""

import json
from pathlib import Path
from typing import Any

from annotator.actions import import_check, import_write, imports
from annotator.actions.import_files import find_files
from annotator.models import (
    Annotation,
    Import,
    ImportKind,
    Injection,
    Item,
    Problem,
    Project,
    Rater,
    RaterKind,
    Solution,
    TransferState,
)
from annotator.policies import Operator
from tests import factories

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


def added_labels(item: Item, name: str = "alice@example.org") -> tuple[Import, Annotation]:
    """Labels by a source of that name, which an import that is still writing has added to a solution."""
    row = Import.objects.create(
        project=item.project, kind=ImportKind.ANNOTATIONS, format="jsonl", state=TransferState.WRITING
    )
    rater, _ = Rater.objects.get_or_create(kind=RaterKind.SOURCE, name=name)
    word = factories.machine_labels(item.solution, rater, "-" * item.solution.n_steps)
    Annotation.objects.filter(pk=word.pk).update(source_import=row)
    return row, word


ROWS = {
    Problem: ("project", "key parent__key group foreign_id text answer meta"),
    Solution: (
        "project",
        "key problem__key parent__key steps n_steps digest foreign_id foreign_format extra meta",
    ),
    Injection: (
        "child__project",
        "child__key parent__key error_type claimed_changed claimed_wrong reason rater alignment",
    ),
    Annotation: (
        "solution__project",
        "solution__key rater phase labels n_steps first_error scores error_types verdict finish_reason note "
        "duration_ms",
    ),
    Item: (
        "project",
        "solution__key protocol error_type wanted open_slots priority held held_because decision gold "
        "n_submitted opened_at",
    ),
}


def rows_of(project: Project) -> list[list[Any]]:
    """All that an import writes, without what differs between two of the same file: ids and times."""
    found = []
    for model, (link, names) in ROWS.items():
        columns = names.split()
        rows = model._default_manager.filter(**{link: project}).order_by(columns[0], "pk")
        found.append([list(row) for row in rows.values_list(*columns)])
    return found
