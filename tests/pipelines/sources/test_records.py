"""Records: looking at a whole block at once finds the same records as reading it cell by cell."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.sources import records
from pipelines.sources.mending import Expected, mended
from pipelines.sources.one_record import NO_END, TEXT_AFTER, read_record, write_record
from pipelines.sources.plain_text import PlainText
from pipelines.sources.records import block_at, blocks
from pipelines.sources.whole import find_records
from tests.pipelines.sources.read_files import save

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
marks = st.lists(st.sampled_from([b"a", b"bb", b",", b'"', b'""', b"\n", b"\r\n", b" "]), max_size=50).map(
    b"".join
)
cell = st.sampled_from(
    [b"a", b"", b'"x"', b'""', b'"a\nb"', b'"q""q"', b'"c,d"', b'5" p', b'"oops', b' "s" ']
)
lines = st.lists(
    st.tuples(
        st.lists(cell, min_size=1, max_size=4).map(b",".join), st.sampled_from([b"\n", b"\r\n", b"\n\n"])
    ).map(b"".join),
    max_size=8,
).map(b"".join)


def fast(path: Path, expected: Expected) -> tuple[bytes, list[int]]:
    """What is to be read in a file's place, and the lines in which its records start."""
    plain = PlainText(path, 0, "utf-8")
    found = list(blocks(plain, 0, 0, expected))
    for block in found:
        again = block_at(plain, block.span, expected)
        assert (again.replacement, list(again.starts)) == (block.replacement, list(block.starts))
    text = b"".join(
        block.text[: block.size] if block.replacement is None else block.replacement for block in found
    )
    return text, [block.line_of(number) for block in found for number in range(len(block.starts))]


def parsed(text: bytes) -> list[tuple[bytes, ...]]:
    """Every record, cell by cell."""
    found: list[tuple[bytes, ...]] = []
    at = 0
    while at < len(text):
        record = read_record(text, at, b",")
        assert record.fault is None
        assert record.is_exact
        found.append(record.cells)
        at = record.end
    return found


@MANY
@example(b'1,"abc\n2,3\n4,5\n6,"x"\n', 2)
@example(b'1,""\n2,"a\r"\r\n', 2)
@given(marks | lines, st.integers(1, 3))
def test_blocks_are_what_reading_cell_by_cell_finds(tmp_path: Path, text: bytes, width: int) -> None:
    expected = Expected(b",", width)
    pieces = list(mended(text, expected))
    assert b"".join(text[piece.start : piece.end] for piece in pieces) == text
    replacement, starts = fast(save(tmp_path, text), expected)
    assert parsed(replacement) == parsed(b"".join(piece.text for piece in pieces))
    assert starts == [text.count(b"\n", 0, piece.start) for piece in pieces if piece.text]


@MANY
@given(
    st.lists(
        st.lists(st.sampled_from([b"a", b"", b'q"q', b"c,d", b"e\nf"]), min_size=2, max_size=2), max_size=30
    )
)
def test_blocks_of_any_size_find_the_same_records(tmp_path: Path, table: list[list[bytes]]) -> None:
    text = b"".join(write_record(tuple(row), b",") for row in table if any(row))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", 32)
        assert fast(save(tmp_path, text), Expected(b",", 2))[0] == text


@MANY
@given(marks | lines, st.integers(16, 64))
def test_blocks_of_any_size_lose_no_byte(tmp_path: Path, text: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", size)
        found = list(blocks(PlainText(save(tmp_path, text), 0, "utf-8"), 0, 0, Expected(b",", 2)))
    assert b"".join(block.text[: block.size] for block in found) == text
    assert [block.span.line for block in found] == [
        text.count(b"\n", 0, block.span.offset) for block in found
    ]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=5).map(str.encode), min_size=1, max_size=4),
        max_size=5,
    )
)
def test_what_is_written_is_read_back(table: list[list[bytes]]) -> None:
    for row in table:
        written = write_record(tuple(row), b";")
        record = read_record(written, 0, b";")
        assert (record.cells, record.end, record.fault) == (tuple(row), len(written), None)


@pytest.mark.parametrize(
    ("text", "fault", "end"),
    [
        (b'a,"b\nc', NO_END, 6),
        (b'a,"b"c,d\ne', TEXT_AFTER, 9),
        (b'"a\nb"c\nd', TEXT_AFTER, 7),
        (b'"a""', NO_END, 4),
    ],
)
def test_quotes_in_the_wrong_place_are_told_up_to_the_line_where_they_come_out(
    text: bytes, fault: str, end: int
) -> None:
    record = read_record(text, 0, b",")
    assert (record.fault, record.end) == (fault, end)


def test_quotes_across_the_words_of_a_mask_are_found() -> None:
    for before in range(120):
        text = b"x" * before + b',"' + b"y\n," * 50 + b'"\n'
        found = find_records(text, b",", 2, at_end=True)
        assert found.is_sure
        assert (list(found.starts), list(found.is_whole)) == ([0], [True])


def test_a_record_longer_than_a_block_is_told_and_the_next_ones_stay_right(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", 64)
        text = b'1,2\n3,"' + b"x\n" * 60 + b'"\n5,6\n'
        replacement, starts = fast(save(tmp_path, text), Expected(b",", 2))
    cells = parsed(replacement)
    assert cells[0] == (b"1", b"2")
    assert cells[1][2].startswith(NO_END.encode())
    assert cells[-1] == (b"5", b"6")
    assert starts[-1] == text.count(b"\n") - 1
