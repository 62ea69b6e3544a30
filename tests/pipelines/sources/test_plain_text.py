"""Plain text: whatever a file's bytes are, its text comes out, or the message says why there is none."""

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.sources import plain_text as module
from pipelines.sources.plain_text import PlainText, plain_text
from tests.pipelines.sources.read_files import save

TEXT = "naam,prijs\nJosé Peña,€ 5\nZoë,„drie”\n"
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, encoding: str | None = None) -> tuple[str, PlainText]:
    folder = path.parent / "copies"
    folder.mkdir(exist_ok=True)
    plain = plain_text(path, folder, encoding)
    return plain.path.read_bytes()[plain.start :].decode("utf-8"), plain


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
def test_plain_files_are_read_where_they_lie(tmp_path: Path, codec: str) -> None:
    path = save(tmp_path, TEXT.encode(codec))
    text, plain = read(path)
    assert (text, plain.path) == (TEXT, path)


@pytest.mark.parametrize(
    "codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252", "utf-8", "utf-8-sig"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_and_packing_are_found_out(tmp_path: Path, codec: str, packed: bool) -> None:
    content = TEXT.encode(codec)
    text, plain = read(save(tmp_path, gzip.compress(content) if packed else content))
    assert (text, plain.foreign_lines) == (TEXT, ())


def test_big_endian_text_with_a_mark_is_found_out(tmp_path: Path) -> None:
    assert read(save(tmp_path, b"\xfe\xff" + TEXT.encode("utf-16-be")))[0] == TEXT


def test_latin_1_is_read_by_the_table_that_has_all_of_it(tmp_path: Path) -> None:
    text, plain = read(save(tmp_path, "prix,é\x81ü\n".encode("latin-1")))
    assert (text, plain.encoding, plain.foreign_lines) == ("prix,é\x81ü\n", "windows-1252", ())


def test_every_byte_is_some_character(tmp_path: Path) -> None:
    others = bytes(byte for byte in range(1, 256) if byte not in b"\r\n")
    text, _ = read(save(tmp_path, b"x\xe9\n" * 3 + others))
    assert len(text) == 9 + len(others)


def test_the_given_encoding_goes_first(tmp_path: Path) -> None:
    assert read(save(tmp_path, "価格\n".encode("cp932")), "cp932")[0] == "価格\n"
    assert read(save(tmp_path, "é\n".encode()), "latin-1")[0] == "Ã©\n"


def test_lines_of_other_bytes_are_named_and_read_as_windows_1252(tmp_path: Path) -> None:
    lines = [
        "né".encode(),
        "né".encode("latin-1"),
        b"plain",
        "né né né".encode("latin-1"),
        "né né".encode(),
        "né".encode(),
    ]
    text, plain = read(save(tmp_path, lines))
    assert (plain.encoding, plain.foreign_lines) == ("utf-8", (2, 4))
    assert text.splitlines() == ["né", "né", "plain", "né né né", "né né", "né"]


def test_a_file_of_western_bytes_with_one_odd_pair_is_western(tmp_path: Path) -> None:
    text, plain = read(save(tmp_path, [b"n\xe9", b"n\xe9", b"n\xc3\xa9", b"n\xe9"]))
    assert plain.encoding == "windows-1252"
    assert text.splitlines() == ["né", "né", "nÃ©", "né"]


def test_half_a_character_at_the_end_is_told(tmp_path: Path) -> None:
    text, plain = read(save(tmp_path, "a,b\n1,é\n".encode("utf-16")[:-3]))
    assert (text, plain.foreign_lines) == ("a,b\n1,\ufffd", (2,))


def test_lines_that_end_with_a_return_alone_get_line_ends(tmp_path: Path) -> None:
    assert read(save(tmp_path, b'a,b\r1,"x\ny"\r2,z\r'))[0] == 'a,b\n1,"x\ny"\n2,z\n'
    assert read(save(tmp_path, "a,b\r1,é\r".encode("utf-16")))[0] == "a,b\n1,é\n"
    untouched = b'a,b\n1,"x\ry\rz\r"\n'
    assert read(save(tmp_path, untouched))[0] == untouched.decode()


def test_packed_pieces_in_one_file_are_one_text(tmp_path: Path) -> None:
    assert read(save(tmp_path, gzip.compress(b"a\n") + gzip.compress(b"b\n")))[0] == "a\nb\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"is empty\."),
        (gzip.compress(b""), r"is empty\."),
        (gzip.compress(TEXT.encode())[:-9], r"is cut short.*Fetch it again"),
        (gzip.compress(TEXT.encode())[:20] + b"xxxx", r"is (damaged|cut short).*Fetch it again"),
        (gzip.compress(b"a\n") + b"rest", r"is damaged.*Fetch it again"),
        (gzip.compress(gzip.compress(b"a\n")), r"is packed twice"),
        (b"PK\x03\x04\x14\x00", r"an Excel workbook or a zip archive.*xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"password-protected Office file"),
        (b"PAR1\x15\x04", r"a Parquet file\. Say format"),
        (b"%PDF-1.7", r"a PDF"),
        (b"\x28\xb5\x2f\xfd\x04", r"packed, and not by gzip"),
        (b"\n <!DOCTYPE html><html>", r"a web page or XML"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_what_is_no_text_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DeliveryError, match=r"delivery\.csv .*" + told):
        read(save(tmp_path, content))


@pytest.mark.parametrize("codec", ["hex", "undefined", "idna", "utf-16-le"])
def test_an_encoding_that_does_not_fit_is_told_or_read_with_faults(tmp_path: Path, codec: str) -> None:
    path = save(tmp_path, b"a,b\n1,2\n\xff")
    try:
        assert read(path, codec)[1].encoding == codec
    except DeliveryError as error:
        assert f"is not {codec}. Correct `encoding`" in str(error)


@SOME
@given(st.text(st.characters(codec="utf-8"), max_size=300), st.sampled_from([1, 3, 1 << 20]))
def test_utf_8_is_never_taken_for_anything_else(tmp_path: Path, text: str, chunk: int) -> None:
    text = "é,x\n" + text.replace("\r", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        found, plain = read(save(tmp_path, text.encode()))
    assert (found, plain.encoding, plain.foreign_lines) == (text, "utf-8", ())


@SOME
@given(
    st.lists(st.sampled_from(["a", "é", "\n", "\r\n", "€"]), max_size=60), st.sampled_from([1, 2, 7, 1 << 20])
)
def test_pieces_of_any_size_give_the_same_text(tmp_path: Path, signs: list[str], chunk: int) -> None:
    euros = "naam\n" + "".join(signs)
    # é and two euro signs in Windows-1252 are a character of UTF-8.
    for codec, text in (("windows-1252", euros.replace("€", "x")), ("utf-16", euros), ("utf-32", euros)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "CHUNK", chunk)
            assert read(save(tmp_path, text.encode(codec)))[0] == text


@SOME
@given(st.binary(max_size=300))
def test_any_bytes_become_text_or_a_delivery_error(tmp_path: Path, content: bytes) -> None:
    try:
        text, plain = read(save(tmp_path, content))
    except DeliveryError:
        return
    assert all(1 <= line <= text.count("\n") + 1 for line in plain.foreign_lines)
