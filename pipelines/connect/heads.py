"""What kind of file a file is, by its first bytes, and the head of a large one as a file of its own.

Names of files are asked last: exports are often called otherwise than they are.
"""

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.errors import DeliveryError

Kind = Literal["parquet", "workbook", "json", "text"]
WHOLE_BYTES = 64 << 20
"""Text files up to this size are read to their end."""
HEAD_BYTES = 16 << 20
"""Of larger ones so much is looked at."""
SNIFFED_BYTES = 1 << 18
GZIP = b"\x1f\x8b"
LINE_ENDS = ((b"\xff\xfe", b"\n\x00"), (b"\xfe\xff", b"\x00\n"), (b"", b"\n"))
"""How a line ends, by how the file begins."""


@dataclass(frozen=True, slots=True)
class Head:
    """A file, or its first records as a file of their own; ``share`` is how much of it that is."""

    path: Path
    share: float

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the file."""
        return self.share == 1


def kind_of(path: Path) -> Kind:
    """Tell a file's kind by how it begins; what is nothing else may be text.

    Raises
    ------
    DeliveryError
        It is empty.
    """
    start = _beginning(path, SNIFFED_BYTES)
    if not start.strip(b"\0\r\n\t "):
        raise DeliveryError(f"{path} is empty. Remove it or deliver it again.")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK\x03\x04"):
        return "workbook"
    return "json" if _text(start).lstrip("\ufeff \r\n\t")[:1] in ("{", "[") else "text"


def first_text(path: Path) -> str:
    """Give the first lines of a text file, as well as they can be read."""
    return _text(_beginning(path, SNIFFED_BYTES))


@contextmanager
def head_of(path: Path, kind: Kind) -> Iterator[Head]:
    """Give the file itself, or, while the context lasts, a copy of the head of a large text file."""
    can_be_cut = kind == "text" or (kind == "json" and _is_json_lines(path))
    if path.stat().st_size <= WHOLE_BYTES or not can_be_cut:
        yield Head(path, 1.0)
        return
    with tempfile.TemporaryDirectory(prefix="retention-lab-head-") as folder:
        start, share = _cut(path)
        copy = Path(folder) / path.name
        copy.write_bytes(start)
        yield Head(copy, share)


def _cut(path: Path) -> tuple[bytes, float]:
    """Give a file's first whole lines, and the share of the file that they are."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(2) == GZIP:
            file.seek(0)
            with gzip.open(file) as unpacked:
                start = unpacked.read(HEAD_BYTES)
        else:
            file.seek(0)
            start = file.read(HEAD_BYTES)
        share = min(file.tell() / size, 0.99)
    end = next(end for mark, end in LINE_ENDS if start.startswith(mark))
    return start[: start.rfind(end) + len(end)] if end in start else start, share


def _is_json_lines(path: Path) -> bool:
    first = _text(_beginning(path, 1 << 20)).lstrip("\ufeff").partition("\n")[0]
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _beginning(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(size)
            if start.startswith(GZIP):
                file.seek(0)
                with gzip.open(file) as unpacked:
                    return unpacked.read(size)
            return start
    except (EOFError, gzip.BadGzipFile) as error:
        raise DeliveryError(f"{path} is packed and cut short ({error}). Fetch it again.") from error


def _text(start: bytes) -> str:
    is_utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    return start.decode("utf-16" if is_utf16 else "utf-8", "replace")
