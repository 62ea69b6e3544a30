"""One writer a lake at a time, and small files that are seen whole or not at all.

The lock is the operating system's: it is free as soon as its holder ends, however that ends. What is written
under it is `pipelines.lake`'s business.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import LakeError


@contextmanager
def writing(root: Path, purpose: str) -> Iterator[None]:
    """Hold the folder ``root`` for writing; ``purpose`` is told to whoever finds it held.

    Raises
    ------
    LakeError
        Another process holds it, or it cannot be locked.
    """
    lock = FileLock(root / ".lock")
    note = root / ".lock.holder"
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LakeError(
            f"{root} is being written by {_read_note(note)}. Wait until it has finished and run again."
        ) from error
    except OSError as error:
        raise LakeError(f"{root} cannot be locked for writing: {error.strerror}.") from error
    try:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        write_whole(note, f"`{purpose}` (process {os.getpid()}, since {now} UTC)")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that readers see all of it or the old one."""
    draft = path.with_suffix(path.suffix + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _read_note(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8")
    except FileNotFoundError:  # its holder is just starting or ending
        return "another process"
