"""The search finds a person in whatever way a file is packed and written, and nobody whose name hers is a part of."""

import gzip
import io
import lzma
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.privacy.search import search
from pipelines.privacy.terms import ERASED, blackened, byte_pattern, naming

TERM = "jürgen@example.org"
OTHERS = ("hansjürgen@example.org", "jürgen@example.org.uk", "x.jürgen@example.org", "jürgen@example.orga")


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", data)
    return file.getvalue()


def parquet(text: str) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"one": ["", text], "list": [[], [text]], "deep": [{"a": ""}, {"a": text}]}).write_parquet(
        file
    )
    return file.getvalue()


WRITTEN = {
    "plain": lambda text: f"a,{text},b".encode(),
    "capitals": lambda text: f"a,{text.upper()},b".encode(),
    "latin-1": lambda text: f"<{text}>".encode("latin-1"),
    "utf-16": lambda text: f"a\t{text}\tb".encode("utf-16"),
    "json": lambda text: b'{"who": "' + text.replace("ü", "\\u00fc").encode() + b'"}',
    "html": lambda text: f"<td>{text.replace('ü', '&#252;')}</td>".encode(),
    "url": lambda text: f"?who={text.replace('ü', '%C3%BC').replace('@', '%40')}&x=1".encode(),
    "gzip": lambda text: gzip.compress(f"{text}\n".encode()),
    "xz": lambda text: lzma.compress(f"{text}\n".encode()),
    "zip in gzip": lambda text: gzip.compress(zipped(f"{text}\n".encode())),
    "parquet": parquet,
    "parquet in zip": lambda text: zipped(parquet(text)),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_person_is_found_however_a_file_is_written(tmp_path: Path, how: str) -> None:
    (tmp_path / "file").write_bytes(WRITTEN[how](TERM))
    assert search(tmp_path, [TERM]).places == (tmp_path / "file",)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("how", ["plain", "capitals", "gzip", "parquet"])
def test_nobody_else_is_found(tmp_path: Path, how: str, other: str) -> None:
    (tmp_path / "file").write_bytes(WRITTEN[how](other))
    found = search(tmp_path, [TERM])
    assert (found.places, found.files) == ((), 1)
    assert found.bytes > 0


def test_free_pages_of_a_database_names_of_files_and_seams_of_chunks_are_looked_at(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.db")) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("INSERT INTO t VALUES (?)", (f" {TERM} ",))
        database.commit()
        database.execute("DELETE FROM t")
        database.commit()
    with closing(sqlite3.connect(tmp_path / "two.db")) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.execute("INSERT INTO t VALUES (?)", (TERM,))
        database.commit()
    (tmp_path / f"to {TERM}.txt").write_text("nothing", encoding="utf-8")
    seam = 4 << 20
    (tmp_path / "long").write_bytes(b" " * (seam - 5) + TERM.encode() + b" " * 100)
    (tmp_path / "other").write_bytes(b" " * (seam - len(TERM.encode())) + f"{TERM}a ".encode())
    assert {path.name for path in search(tmp_path, [TERM]).places} == {
        "one.db",
        "two.db",
        f"to {TERM}.txt",
        "long",
    }


def test_broken_archives_are_looked_at_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"nothing at all" * 1000)[:-9])
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 broken " + TERM.encode())
    (tmp_path / "c.parquet").write_bytes(b"PAR1 cut short")
    assert [path.name for path in search(tmp_path, [TERM]).places] == ["b.zip"]


words = st.text("anx1@.- ü_", max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=3), st.sampled_from(["an@x.an", "+1111111", "an xüa"]))
def test_what_is_found_is_what_is_blackened_and_then_it_is_found_no_more(texts: list[str], term: str) -> None:
    rows = pl.LazyFrame({"text": [*texts, f"{texts[0]} {term}, {term}" if texts else term]})
    named = naming(rows, (term,))
    assert named.height >= 1
    after = blackened(rows, (term,))
    assert naming(after, (term,)).is_empty()
    changed = rows.collect().filter(rows.collect()["text"] != after.collect()["text"])
    assert changed.equals(named)
    assert after.collect()["text"].str.contains(ERASED, literal=True).sum() == named.height


def test_a_pattern_of_bytes_takes_a_point_at_the_end_of_a_sentence_for_none_of_an_address() -> None:
    pattern = byte_pattern(["a@example.org"])
    assert pattern.search(b"Write to a@example.org.")
    assert not pattern.search(b"Write to a@example.org.uk")
