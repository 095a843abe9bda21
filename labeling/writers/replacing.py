"""Files and folders that are replaced as a whole: after a failure the old one is still there, whole."""

import errno
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

NO_SPACE = "Free space or choose another output."
STEPS = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.ENOENT: "Create the folder first or choose another output.",
    errno.ENOTDIR: "Create the folder first or choose another output.",
    errno.EISDIR: "Add a file name.",
    errno.EACCES: "Choose an output that you may write to.",
    errno.EPERM: "Choose an output that you may write to.",
    errno.EROFS: "Choose an output that you may write to.",
}


class CannotWrite(Exception):
    """The output cannot be written. The message says why and what to do."""


@contextmanager
def explained(target: str) -> Iterator[None]:
    """Turn the operating system's errors about `target` into CannotWrite; a closed pipe stays BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        step = STEPS.get(error.errno or 0, "Choose another output.")
        raise CannotWrite(f"{error.strerror or error}: cannot write {target}. {step}") from error


@contextmanager
def replaced_file(path: Path) -> Iterator[BinaryIO]:
    """A stream whose bytes become the file `path` when the block ends well, and vanish when it does not.

    Devices and pipes are written directly: there is nothing to replace.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    final = path.resolve()  # a link keeps pointing to the file
    part = _beside(final, "part")
    try:
        with part.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: Path, *, names: Collection[str]) -> Iterator[Path]:
    """A folder to write into, which becomes `path` when the block ends well, and vanishes when it does not.

    Raises CannotWrite when `path` holds anything but files with these `names`: an export never deletes other files.
    """
    final = path.resolve()
    _refuse_other_content(final, names)
    part = _beside(final, "part")
    try:
        part.mkdir()
        yield part
        _exchange(part, final)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _refuse_other_content(folder: Path, names: Collection[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is a file, and this format is a folder. Choose another output.")
    if folder.exists() and (others := {entry.name for entry in folder.iterdir()} - set(names)):
        raise CannotWrite(f"{folder} holds other files ({min(others)}). Choose a new or empty folder.")


def _exchange(part: Path, final: Path) -> None:
    """Put `part` in the place of `final`. A folder cannot be replaced in one step: the old one steps aside first."""
    if not final.exists():
        part.rename(final)
        return
    old = _beside(final, "old")
    final.rename(old)
    try:
        part.rename(final)
    except BaseException:  # also Ctrl-C: the old folder must stand again, and the error goes on
        old.rename(final)
        raise
    shutil.rmtree(old)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".export-{token_hex(4)}.{ending}")
