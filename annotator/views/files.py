"""Files as downloads."""

from pathlib import Path

from django.http import FileResponse


def download(path: Path, name: str) -> FileResponse:
    """The file, streamed, to be saved under `name` and never shown by the browser."""
    response = FileResponse(path.open("rb"), as_attachment=True, filename=name)
    response["Content-Type"] = "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    return response
