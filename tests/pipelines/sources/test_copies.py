"""Copies: made once, made anew when the file changed, gone with the process that made them."""

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipelines.errors import DeliveryError
from pipelines.sources.copies import KEPT, PREFIX, Copies
from tests.pipelines.sources.read_files import save


def copy_of(copies: Copies[Path], path: Path, how: str = "") -> Path:
    def make(folder: Path) -> Path:
        copy = folder / "copy"
        copy.write_bytes(path.read_bytes())
        return copy

    return copies.of(path, how, make)


def test_a_copy_is_made_once_for_each_way_of_reading(tmp_path: Path) -> None:
    copies: Copies[Path] = Copies()
    path = save(tmp_path, b"x")
    first = copy_of(copies, path)
    assert copy_of(copies, path) == first
    assert copy_of(copies, path, "another way") != first


def test_a_file_that_changed_is_copied_anew(tmp_path: Path) -> None:
    copies: Copies[Path] = Copies()
    path = save(tmp_path, b"old")
    copy_of(copies, path)
    path.write_bytes(b"new")
    os.utime(path, ns=(0, 1))
    assert copy_of(copies, path).read_bytes() == b"new"


def test_the_oldest_copies_make_room(tmp_path: Path) -> None:
    copies: Copies[Path] = Copies()
    made = [copy_of(copies, save(tmp_path, b"x", f"{number}.csv")) for number in range(KEPT + 3)]
    assert [copy.exists() for copy in made] == [False] * 3 + [True] * KEPT
    assert copy_of(copies, tmp_path / "0.csv").exists()


def test_nobody_else_can_read_copies(tmp_path: Path) -> None:
    copy = copy_of(Copies(), save(tmp_path, b"x"))
    for folder in (copy.parent, copy.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_failed_copy_leaves_nothing_and_is_tried_again(tmp_path: Path) -> None:
    copies: Copies[Path] = Copies()
    path = save(tmp_path, b"x")
    folders: list[Path] = []

    def fail(folder: Path) -> Path:
        folders.append(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(
        DeliveryError, match=r"No space left on device\)\. A copy is needed: make room in .*TMPDIR"
    ):
        copies.of(path, "", fail)
    assert not folders[0].exists()
    assert copy_of(copies, path).exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"gone\.csv cannot be read \(No such file or directory\)\.$"):
        copy_of(Copies(), tmp_path / "gone.csv")


PROGRAM = """
import os, signal, sys
from pathlib import Path
from pipelines.sources.copies import Copies
print(Copies().of(Path(sys.argv[1]), "", lambda folder: folder), flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_copies_go_with_their_process_and_those_of_a_killed_one_with_the_next(tmp_path: Path) -> None:
    path = save(tmp_path, b"x")
    place = tmp_path / "tmp"
    place.mkdir()

    def run(ending: str) -> Path:
        found = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path), ending],
            env=os.environ | {"TMPDIR": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        return Path(found.stdout.strip())

    left = run("killed")
    assert left.exists()
    run("well")
    assert not list(place.glob(f"{PREFIX}*"))
