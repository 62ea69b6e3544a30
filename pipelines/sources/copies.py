"""Files made from delivered ones, for as long as the process lives: unpacked, decoded, set right.

A delivery is read several times; what it took to make it readable is done once. The copies hold what the deliveries
hold, so nobody else can read them and they are removed at exit; a killed process' copies are removed by the next one.
What is in a copy is its reader's business.
"""

import atexit
import errno
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from filelock import FileLock, Timeout

from pipelines.errors import DeliveryError

Opened = TypeVar("Opened")
KEPT = 32
"""Copies of so many files a reader stay; older ones are made again when asked for."""
PREFIX = "retention-lab-copies-"
IN_USE = ".in-use"
"""Locked for as long as the process lives that made the folder."""


class Copies(Generic[Opened]):
    """What a reader found out about files, with the files that it made on the way.

    Collect a frame that scans a copy before `KEPT` other files are opened.
    """

    def __init__(self) -> None:
        self._opened: OrderedDict[Hashable, tuple[Opened, Path]] = OrderedDict()
        self._lock = RLock()

    def of(self, path: Path, how: Hashable, make: Callable[[Path], Opened]) -> Opened:
        """Give what ``make`` made of a file, from memory if the file is still the same.

        Parameters
        ----------
        how
            What else decides the outcome (settings).
        make
            Takes an empty folder of its own to write into.

        Raises
        ------
        DeliveryError
            The file or its copy cannot be read or written.
        """
        with self._lock:
            try:
                found = path.stat()
                key = (path.absolute(), found.st_size, found.st_mtime_ns, found.st_ino, how)
                if key not in self._opened:
                    self._opened[key] = self._make(make)
                    self._forget_oldest()
            except OSError as error:
                raise DeliveryError(_unreadable(path, error)) from error
            self._opened.move_to_end(key)
            return self._opened[key][0]

    def _make(self, make: Callable[[Path], Opened]) -> tuple[Opened, Path]:
        folder = Path(tempfile.mkdtemp(dir=_folder()))
        try:
            return make(folder), folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _forget_oldest(self) -> None:
        while len(self._opened) > KEPT:
            _, folder = self._opened.popitem(last=False)[1]
            shutil.rmtree(folder, ignore_errors=True)


def _unreadable(path: Path, error: OSError) -> str:
    told = f"{path} cannot be read ({error.strerror or error})."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return (
            f"{told} A copy is needed: make room in {tempfile.gettempdir()}, or set TMPDIR to another place."
        )
    return told


_of_process: dict[int, tuple[Path, FileLock]] = {}


def _folder() -> Path:
    """Make this process' folder; a forked child gets one of its own."""
    pid = os.getpid()
    if pid not in _of_process:
        _remove_what_killed_processes_left()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = FileLock(folder / IN_USE)
        lock.acquire()
        _of_process[pid] = (folder, lock)
        atexit.register(_remove, folder, pid)
    return _of_process[pid][0]


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_what_killed_processes_left() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # A folder of another user, or one that is being made or removed right now, is left alone.
        with suppress(OSError, Timeout):
            if (folder / IN_USE).exists():
                with FileLock(folder / IN_USE, blocking=False):
                    shutil.rmtree(folder, ignore_errors=True)
