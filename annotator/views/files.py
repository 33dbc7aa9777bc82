"""Files as downloads."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.http import FileResponse, StreamingHttpResponse

from annotator.views.hours import Echo


def download(path: Path, name: str) -> FileResponse:
    """The file, streamed, to be saved under `name` and never shown by the browser."""
    response = FileResponse(path.open("rb"), as_attachment=True, filename=name)
    response["Content-Type"] = "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def csv_file(rows: Iterable[Sequence[Any]], name: str) -> StreamingHttpResponse:
    """The rows as CSV, streamed; None is an empty cell. What is text from data has to be harmless already."""
    writer = csv.writer(Echo())
    response = StreamingHttpResponse(
        (str(writer.writerow(row)) for row in rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
