"""What a complete release hands out: a file, all of them as one, a copy of its folder."""

import shutil
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from annotator import errors
from annotator.actions.release_files import BLOCK, MANIFEST, READ_ONLY
from annotator.models import Release, TransferState


def file_of(row: Release, name: str) -> Path:
    """Where a file of a release lies. Raises Missing for anything but a file that it lists."""
    if row.state != TransferState.COMPLETE:
        raise errors.Conflict("This release is not complete yet.")
    if name != MANIFEST and name not in {file["name"] for file in row.files}:
        raise errors.Missing("There is no such file in this release.")
    path = Path(row.path) / PurePosixPath(name)
    if not path.is_file():
        raise errors.Missing("The file of this release is gone from the server.")
    return path


def tar_of(row: Release) -> Iterator[bytes]:
    """All files of a release as one tar, in a folder PROJECT-NAME; the same bytes every time."""
    names = [MANIFEST, *(file["name"] for file in row.files)]
    for name in names:
        path = file_of(row, name)
        about = tarfile.TarInfo(f"{row.project.slug}-{row.name}/{name}")
        about.size, about.mode = path.stat().st_size, READ_ONLY
        yield about.tobuf()
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
        yield b"\0" * (-about.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def copy_to(row: Release, folder: Path) -> None:
    """A copy of a release's files; the folder appears only when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        shutil.copytree(row.path, beside)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
