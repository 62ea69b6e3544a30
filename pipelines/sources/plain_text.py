"""Turn a text file, however packed and encoded, into UTF-8 with LF or CRLF line ends.

Most files are that already and are read where they lie. Lines whose bytes are no text are kept and told, for the
reader to set aside. What the lines say is the readers' business (`csv`, `jsonl`).
"""

import codecs
import gzip
import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DeliveryError

CHUNK = 1 << 20
HEAD = 1 << 16
"""Bytes that tell how a file is encoded and how its lines end."""
GZIP = b"\x1f\x8b"
OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (
        rb"PK\x03\x04",
        'an Excel workbook or a zip archive. For a workbook say format = "xlsx"; unpack an archive',
    ),
    (
        rb"\xd0\xcf\x11\xe0",
        "an old or password-protected Office file. Save it as .xlsx without a password, or as CSV",
    ),
    (rb"PAR1", 'a Parquet file. Say format = "parquet"'),
    (rb"%PDF-", "a PDF. Export the table itself"),
    (rb"BZh[1-9]1AY&SY|\xfd7zXZ\x00|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!", "packed, and not by gzip. Unpack it"),
    (rb"(?i:\s*<(!doctype html|html|\?xml))", "a web page or XML. An export may need you to sign in again"),
)
"""How files begin that are no text, and what to do."""
WESTERN = "".join(
    bytes([byte]).decode("windows-1252", "ignore") or bytes([byte]).decode("latin-1") for byte in range(256)
)
"""Windows-1252, and Latin-1 for the five bytes that it leaves open."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
QUOTED = re.compile(r'"[^"]*"')
WESTERN_CODECS = ("cp1252", "windows-1252", "latin-1", "iso8859-1")
FOREIGN = {
    "strict": re.compile(r"(?!)"),
    "replace": re.compile("\ufffd"),
    "surrogateescape": re.compile("[\udc80-\udcff]"),
}
"""What decoders put where bytes are no text, by how they were told to take it."""


@dataclass(frozen=True, slots=True)
class PlainText:
    """A file of UTF-8 text.

    Attributes
    ----------
    path
        The delivered file, or a copy.
    start
        Where the text starts, in bytes: behind a byte order mark.
    encoding
        Of the delivered file.
    foreign_lines
        Numbers of lines, from 1, whose bytes are not of that encoding, in order.
    """

    path: Path
    start: int
    encoding: str
    foreign_lines: tuple[int, ...] = ()


def plain_text(path: Path, folder: Path, encoding: str | None = None) -> PlainText:
    """Find out how a file is packed and encoded, and make it plain.

    Parameters
    ----------
    folder
        For copies, where one is needed.
    encoding
        A codec's name; found out if not given: byte order mark, the zeros of UTF-16, UTF-8 if the lines that are not
        ASCII are valid for the most part, else Windows-1252.

    Raises
    ------
    DeliveryError
        The file is no text, cut short, or not of the given encoding.
    """
    unpacked = _unpacked(path, folder)
    with unpacked.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise DeliveryError(f"{path} is empty. Remove it or deliver it again.")
    for beginning, what in OTHER_KINDS:
        if re.match(beginning, head):
            raise DeliveryError(f"{path} is not text but {what}.")
    codec = encoding or _codec(head)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    if codec in (None, "utf-8", "utf-8-sig"):
        if _is_utf8(unpacked) and not _ends_lines_with_cr(head.decode("latin-1")):
            return PlainText(unpacked, start, "utf-8")
        codec = codec or ("utf-8" if _is_utf8_for_the_most_part(unpacked) else "windows-1252")
    try:
        " ".encode(codec)  # refuses codecs that are no encodings of text
        copy, foreign_lines = _decoded(unpacked, folder, codec)
    except (UnicodeError, LookupError, ValueError) as error:
        raise DeliveryError(
            f"{path} is not {codec}. Correct `encoding` under layout in shop.toml."
        ) from error
    return PlainText(copy, 0, codec, foreign_lines)


def _unpacked(path: Path, folder: Path) -> Path:
    with path.open("rb") as file:
        if file.read(len(GZIP)) != GZIP:
            return path
    copy = folder / "unpacked"
    try:
        with gzip.open(path) as packed, copy.open("wb") as file:
            shutil.copyfileobj(packed, file, CHUNK)
    except EOFError as error:
        raise DeliveryError(f"{path} is cut short: its gzip packing does not end. Fetch it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DeliveryError(
            f"{path} is damaged: its gzip packing cannot be undone. Fetch it again."
        ) from error
    with copy.open("rb") as file:
        if file.read(len(GZIP)) == GZIP:
            raise DeliveryError(f"{path} is packed twice. Unpack it once.")
    return copy


def _codec(head: bytes) -> str | None:
    for mark, codec in MARKS:
        if head.startswith(mark):
            return codec
    # Text of western languages in UTF-16 has a zero in every other byte, and nowhere else.
    pairs = max(len(head) // 2, 1)
    even, odd = head[0 : 2 * pairs : 2].count(0) / pairs, head[1 : 2 * pairs : 2].count(0) / pairs
    if odd > 0.6 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 and odd < 0.1 else None


def _ends_lines_with_cr(head: str) -> bool:
    """Old spreadsheets for the Mac end lines with CR; an LF in such a file stands inside a cell."""
    outside = QUOTED.sub("", head)
    return outside.count("\r") - outside.count("\r\n") > outside.count("\n")


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8_for_the_most_part(path: Path) -> bool:
    balance = 0
    found = False
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                is_valid = _as_utf8(line) is not None
                found = found or is_valid
                balance += 1 if is_valid else -1
    return found and balance >= 0


def _as_utf8(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decoded(path: Path, folder: Path, codec: str) -> tuple[Path, tuple[int, ...]]:
    """Write the file as UTF-8; give the copy and the numbers of the lines that are not what they should be."""
    copy = folder / "decoded"
    if not codec.startswith(("utf-16", "utf-32")):
        return copy, _decode(path, copy, codec, "surrogateescape")
    try:
        return copy, _decode(path, copy, codec, "strict")
    except UnicodeDecodeError:
        return copy, _decode(path, copy, codec, "replace")


def _decode(path: Path, copy: Path, codec: str, errors: str) -> tuple[int, ...]:
    foreign_lines: list[int] = []
    line = 1
    with copy.open("w", encoding="utf-8", errors="replace", newline="") as target:
        for text in _texts(path, codec, errors):
            counted = 0
            for foreign in FOREIGN[errors].finditer(text):
                line += text.count("\n", counted, foreign.start())
                counted = foreign.start()
                if foreign_lines[-1:] != [line]:
                    foreign_lines.append(line)
            line += text.count("\n", counted)
            target.write(_with_western_bytes(text) if errors == "surrogateescape" else text)
    # Windows-1252 knows almost every byte; what it leaves open is no reason to set a line aside.
    return () if codec in WESTERN_CODECS else tuple(foreign_lines)


def _texts(path: Path, codec: str, errors: str) -> Iterator[str]:
    """Decode a file piece by piece, without its byte order mark, and with LF where lines end with CR alone."""
    decoder = codecs.getincrementaldecoder(codec)(errors)
    ends_with_cr: bool | None = None
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = decoder.decode(chunk)
            if ends_with_cr is None:
                text = text.removeprefix("\ufeff")
                ends_with_cr = _ends_lines_with_cr(text[:HEAD])
            yield text.replace("\r", "\n") if ends_with_cr else text
        yield decoder.decode(b"", True)


def _with_western_bytes(text: str) -> str:
    return FOREIGN["surrogateescape"].sub(lambda byte: WESTERN[ord(byte[0]) - 0xDC00], text)
