"""CSV: every record is a row, right or with a fault that carries its text, and its place is the line in the file.

All rows here are composed; addresses and numbers are nobody's.
"""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources import format_of, records
from pipelines.sources.csv import CsvReader
from tests.pipelines.sources.read_files import faults, frame, places, rows, save

READER = CsvReader()
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_plain_file_is_scanned_where_it_lies(tmp_path: Path) -> None:
    path = save(tmp_path, [b"id,name", b'1,"a ""big"", red', b'mug"', b"2,"])
    plan = READER.rows(path, Layout()).explain()
    assert str(path) in plan
    assert rows(READER, path) == [("1", 'a "big", red\nmug'), ("2", None)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_separators_line_ends_and_quotes_are_found_out(
    tmp_path: Path, separator: str, line_end: str, quoting: int
) -> None:
    table = [["Name", "Price", "Note"], ["Mug", "1.50", "a,b;c\td|e"], ["Pot", "2.50", 'the "big" one']]
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    path = save(tmp_path, text.getvalue().encode())
    assert READER.columns(path, Layout()) == table[0]
    assert rows(READER, path) == [tuple(row) for row in table[1:]]
    assert places(READER, path) == ["line 2", "line 3"]


def test_decimal_commas_are_no_separators(tmp_path: Path) -> None:
    path = save(tmp_path, [b"Artikel;Preis;Menge", b"Tasse;1,50;2,0", b"Topf;2,50;1,0"])
    assert rows(READER, path) == [("Tasse", "1,50", "2,0"), ("Topf", "2,50", "1,0")]


def test_the_layout_goes_before_what_the_file_looks_like(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a;b,c;d", b"1;2,3;4"])
    assert rows(READER, path, separator=";") == [("1", "2,3", "4")]
    assert rows(READER, path, separator=",") == [("1;2", "3;4")]


def test_the_separator_line_for_excel_is_no_header(tmp_path: Path) -> None:
    path = save(tmp_path, b"sep=;\r\nid;name\r\n1;Mug, red\r\n")
    assert READER.columns(path, Layout()) == ["id", "name"]
    assert rows(READER, path) == [("1", "Mug, red")]
    assert places(READER, path) == ["line 3"]


@pytest.mark.parametrize(
    "junk",
    [
        [b"Sales report", b"Exported on,2024-05-01", b""],
        [b"Sales report,,,", b",,,", b"Shop:,Mugs and more,,", b",,,"],
        [b"", b"", b"# 2024-05-01 10:00"],
    ],
)
def test_titles_before_the_names_are_passed_over(tmp_path: Path, junk: list[bytes]) -> None:
    path = save(tmp_path, [*junk, b"id,name,price,note", b"1,Mug,1.50,", b"2,Pot,2.50,x", b"3,Pan,3,"])
    assert READER.columns(path, Layout()) == ["id", "name", "price", "note"]
    assert len(rows(READER, path)) == 3
    assert places(READER, path)[0] == f"line {len(junk) + 2}"


def test_skip_rows_says_where_the_names_are(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b", b"c,d", b"1,2"])
    assert READER.columns(path, Layout(skip_rows=1)) == ["c", "d"]
    assert rows(READER, path, skip_rows=1) == [("1", "2")]


def test_records_are_never_taken_for_names(tmp_path: Path) -> None:
    path = save(tmp_path, [b"1,ann@example.com,2024-05-01", b"2,bob@example.com,2024-05-02"])
    with pytest.raises(DeliveryError, match=r"no row of column names .* skip_rows") as told:
        READER.columns(path, Layout())
    assert "@" not in str(told.value)


def test_two_rows_of_names_become_one(tmp_path: Path) -> None:
    lines = [
        b"Respondent ID,Which?,,,Recommend us?,Why?",
        b",Mugs,Pots,Other (please specify),Response,Open-Ended Response",
        b'1,x,,,9,"good,',
        b'really"',
        b"2,,,pans,8,",
    ]
    path = save(tmp_path, lines)
    names = ["Respondent ID", "Which?: Mugs", "Which?: Pots", "Which?: Other (please specify)"]
    for reader, layout in ((CsvReader(header_rows=2), Layout()), (READER, Layout(header_rows=2))):
        assert reader.columns(path, layout) == [*names, "Recommend us?", "Why?"]
    assert rows(READER, path, header_rows=2)[0] == ("1", "x", None, None, "9", "good,\nreally")
    assert places(READER, path, header_rows=2) == ["line 3", "line 5"]


def test_names_are_trimmed_told_apart_and_never_blank(tmp_path: Path) -> None:
    path = save(tmp_path, "\ufeff'Name , Total,Total,,_fault\nx,1,2,3,4\n".encode())
    assert READER.columns(path, Layout()) == ["Name", "Total", "Total (2)", "column 4", "_fault (2)"]
    assert rows(READER, path) == [("x", "1", "2", "3", "4")]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([b"a,b,", b"1,2,", b"3,4,"], ["a", "b", "column 3"]),
        ([b"a,b", b"1,2,", b"3,4,"], ["a", "b", "column 3"]),
        ([b"a,b,", b"1,2", b"3,4"], ["a", "b"]),
    ],
)
def test_a_separator_behind_the_last_cell_loses_nothing(
    tmp_path: Path, lines: list[bytes], names: list[str]
) -> None:
    path = save(tmp_path, lines)
    assert READER.columns(path, Layout()) == names
    assert [row[:2] for row in rows(READER, path)] == [("1", "2"), ("3", "4")]
    assert faults(READER, path) == []


def test_blank_lines_and_lines_of_separators_are_no_records(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b", b"", b"1,2", b"   ", b",", b"", b"3,4", b""])
    assert rows(READER, path) == [("1", "2"), ("3", "4")]
    assert places(READER, path) == ["line 3", "line 7"]


def test_a_file_of_one_column_needs_no_separator(tmp_path: Path) -> None:
    path = save(tmp_path, [b"email", b"ann@example.com", b"", b"bob@example.com"])
    assert rows(READER, path) == [("ann@example.com",), ("bob@example.com",)]


def test_empty_cells_are_null_and_white_space_stays(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b,c", b'"",, x ', b'"  ","",1'])
    assert rows(READER, path) == [(None, None, " x "), ("  ", None, "1")]


def test_an_apostrophe_that_guards_a_value_is_dropped_and_one_of_a_name_stays(tmp_path: Path) -> None:
    lines = [b"name,phone,note", b"'t Hooft,'+31600000000,it's '5'", b"O'Neill,\"'=1\",'2024-05-01"]
    assert rows(READER, save(tmp_path, lines)) == [
        ("'t Hooft", "+31600000000", "it's '5'"),
        ("O'Neill", "=1", "2024-05-01"),
    ]


def test_a_quote_inside_of_a_cell_is_a_character(tmp_path: Path) -> None:
    path = save(tmp_path, [b"id,item,price", b'1,5" pipe,2', b'2,8" pipe,3', b'3, "x, y" ,4'])
    assert rows(READER, path) == [("1", '5" pipe', "2"), ("2", '8" pipe', "3"), ("3", "x, y", "4")]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (b"2,x", "2 cells instead of 3: 2,x"),
        (b"2,x,3,4", "4 cells instead of 3: 2,x,3,4"),
        (b'2,"x"y,3', 'text after a closing quote: 2,"x"y,3'),
        (b'2,"x,3', 'a quote that does not end: 2,"x,3'),
        (b'2,"x\ny"', '2 cells instead of 3: 2,"x\ny"'),
        ("2,é,3".encode("latin-1"), "bytes that are not UTF-8: 2,é,3"),
    ],
)
@pytest.mark.parametrize("after", [[b"3,c,d", b'4,"c","d"', b"5,\xc3\xa9,x"], []])
def test_a_broken_record_is_told_with_its_text_and_the_others_stay_right(
    tmp_path: Path, broken: bytes, fault: str, after: list[bytes]
) -> None:
    path = save(tmp_path, [b"id,name,note", "1,é,b".encode(), broken, *after])
    assert faults(READER, path) == [fault]
    assert [row[0] for row in rows(READER, path)] == ["1", "3", "4", "5"][: len(after) + 1]
    where = places(READER, path)
    assert where[:2] == ["line 2", "line 3"]
    assert where[-1] == f"line {3 + (broken.count(10) + len(after) if after else 0)}"


def test_half_a_record_at_the_end_is_told(tmp_path: Path) -> None:
    whole = b'id,name,note\n1,a,b\n2,"long\nnote",c'
    for cut, told in ((-1, 0), (-2, 1), (-8, 1), (-14, 1)):
        path = save(tmp_path, whole[:cut], f"{-cut}.csv")
        assert len(faults(READER, path)) == told
        assert rows(READER, path)[0] == ("1", "a", "b")


def test_empty_cells_behind_the_last_name_are_nothing_lost(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b", b"1,2", b"3,4,,", b"5,6"])
    assert rows(READER, path) == [("1", "2"), ("3", "4"), ("5", "6")]


def test_a_fault_carries_two_thousand_characters_and_what_follows_is_a_fault_of_its_own(
    tmp_path: Path,
) -> None:
    lines = [b"a,b,c", b'1,"' + b"x" * 3000, *[b"y" * 900] * 4, b"2,3,4"]
    told = faults(READER, save(tmp_path, lines))
    assert [len(text.partition(": ")[2]) for text in told] == [2000, 900, 900, 900, 900]
    assert rows(READER, save(tmp_path, lines)) == [("2", "3", "4")]


def test_zero_bytes_stay_what_they_are(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b", b"1,\0x", b"\0\0\0\0"])
    assert rows(READER, path) == [("1", "\0x")]
    assert faults(READER, path) == ["1 cell instead of 2: \0\0\0\0"]


@pytest.mark.parametrize("content", [b"a,b", b"a,b\n", b"a,b\n\n\n", b"Report\n\na,b\n"])
def test_names_alone_are_a_file_without_records(tmp_path: Path, content: bytes) -> None:
    path = save(tmp_path, content)
    assert READER.columns(path, Layout()) == ["a", "b"]
    assert len(frame(READER, path)) == 0


@pytest.mark.parametrize("separator", ["¦", '"', "\n"])
def test_what_cannot_separate_is_told(tmp_path: Path, separator: str) -> None:
    with pytest.raises(DeliveryError, match=r"cannot separate cells\. Correct `separator`"):
        READER.columns(save(tmp_path, b"a,b\n"), Layout(separator=separator))


def test_tab_separated_text_says_its_separator(tmp_path: Path) -> None:
    path = save(tmp_path, [b"a,b\tc", b"1,2\t3"], "delivery.tsv")
    reader = format_of("tsv").reader
    assert reader.columns(path, Layout()) == ["a,b", "c"]
    assert rows(reader, path) == [("1,2", "3")]


cells = st.text(st.sampled_from('ab1,;"\n\r é\t\0'), max_size=6)
tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12)
)


@MANY
@given(
    tables,
    st.sampled_from(",;"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([40, 1 << 20]),
)
def test_what_pythons_own_writer_writes_is_read_back(
    tmp_path: Path, table: list[list[str]], separator: str, line_end: str, all_quoted: bool, block: int
) -> None:
    if (
        not all_quoted
    ):  # Python leaves a return without quotes, and nobody can tell it from a line's end then.
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    names = ["first", "second", "third", "fourth"][: len(table[0])]
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writerows([names, *table])
    path = save(tmp_path, text.getvalue().encode())
    reader = CsvReader(separator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", max(block, 8 * max(len("".join(row)) for row in table) + 40))
        found = frame(reader, path, skip_rows=0)
    # A row without any value is no record unless its quotes say that it is one.
    expected = [row for row in table if all_quoted or any(row)]
    assert found.drop("_fault").rows() == [tuple(cell or None for cell in row) for row in expected]
    assert found["_fault"].null_count() == len(found)


@pytest.mark.parametrize("share", [0, 0.02])
def test_a_file_of_many_blocks_is_read_as_one(tmp_path: Path, share: float) -> None:
    count = 60_000
    notes = ["", "x", 'say "hi", you', 'two\nlines, with\n\n"quotes"', "é" * 20]
    table = [[str(number), notes[number % len(notes)], "end"] for number in range(count)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["id", "note", "last"], *table])
    broken = int(count * share)
    lines = text.getvalue().replace(",end\n", "\n", broken)
    path = save(tmp_path, lines.encode())
    assert path.stat().st_size > 1.5 * records.BLOCK
    found = frame(READER, path)
    assert found["id"].drop_nulls().to_list() == [row[0] for row in table[broken:]]
    assert found["note"].to_list()[broken:] == [row[1] or None for row in table[broken:]]
    assert found["_fault"].is_not_null().sum() == broken
    for record in (1, broken + 1, count // 2, count):
        line = lines[: lines.index(f"\n{record - 1},") + 1].count("\n") + 1
        assert READER.place(path, Layout(), record) == f"line {line}"


@MANY
@example(b'"')
@example(b'a,b\n1,"x\n')
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\xe9"]), max_size=40).map(b"".join)
)
def test_whatever_stands_behind_the_names_no_text_is_lost(tmp_path: Path, content: bytes) -> None:
    path = save(tmp_path, b"a,b,c\n1,2,3\n" + content)
    found = frame(READER, path, encoding="utf-8", skip_rows=0, separator=",")
    told = "".join(cell for row in found.iter_rows() for cell in row if cell)
    # Letters and bytes that are no text (windows-1252 then) are all somewhere; marks may be none of the values'.
    assert told.count("a") >= content.decode("utf-8", "ignore").count("a")
    assert found.row(0) == ("1", "2", "3", None)
