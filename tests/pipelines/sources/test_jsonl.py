"""JSON: every object is a row, numbers keep their digits, and what is no object is told with its text."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import DeliveryError
from pipelines.settings import Layout
from pipelines.sources import json_records, parts
from pipelines.sources.jsonl import JsonReader
from tests.pipelines.sources.read_files import faults, frame, places, rows, save

READER = JsonReader()
SOME = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_nested_objects_become_dotted_columns_and_lists_stay_json(tmp_path: Path) -> None:
    lines = [
        b'{"id": 1, "person": {"name": "Ann", "tags": ["a", "b"], "address": {"city": "Gent"}}}',
        b'{"id": 2, "person": null, "score": 9, "items": [{"sku": "X", "price": 0.10, "ok": true, "note": null}]}',
    ]
    path = save(tmp_path, lines)
    assert READER.columns(path, Layout()) == [
        *("id", "person.name", "person.tags", "person.address.city", "score", "items")
    ]
    assert rows(READER, path) == [
        ("1", "Ann", '["a","b"]', "Gent", None, None),
        ("2", None, None, None, "9", '[{"sku":"X","price":0.10,"ok":true,"note":null}]'),
    ]


@pytest.mark.parametrize(
    "number", ["0.10", "1.0", "-0", "1E+5", "9" * 5000, "0.1000000000000000055511151231257827"]
)
def test_numbers_keep_their_digits(tmp_path: Path, number: str) -> None:
    path = save(tmp_path, f'{{"a": {number}, "b": [{number}]}}'.encode())
    assert rows(READER, path) == [(number, f"[{number}]")]


def test_values_are_text_and_what_is_empty_is_null(tmp_path: Path) -> None:
    path = save(tmp_path, b'{"a": true, "b": false, "c": null, "d": "", "e": {}, "f": [], "g": " x\\t"}')
    assert rows(READER, path) == [("true", "false", None, None, None, "[]", " x\t")]


def test_names_that_meet_are_told_apart(tmp_path: Path) -> None:
    path = save(tmp_path, b'{"a.b": 1, "a": {"b": 2}, "_fault": 3, "": 4}')
    assert READER.columns(path, Layout()) == ["a.b", "a.b (2)", "_fault (2)", "column 4"]
    assert rows(READER, path) == [("1", "2", "3", "4")]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}\n{"a": 2}\n',
        b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}',
        b'[{"a": 1}, {"a": 2}]',
        b'[\n  {"a": 1},\n  {\n    "a": 2\n  }\n]\n',
        b'{\n "a": 1\n}\n{\n "a": 2\n}\n',
        '[{"a": 1}, {"a": 2}]'.encode("utf-16"),
        gzip.compress(b'{"a": 1}\n{"a": 2}\n', mtime=0),
    ],
)
def test_objects_are_found_one_a_line_in_a_list_or_one_after_the_other(
    tmp_path: Path, content: bytes
) -> None:
    assert rows(READER, save(tmp_path, content)) == [("1",), ("2",)]


def test_places_are_the_lines_in_which_objects_start(tmp_path: Path) -> None:
    assert places(READER, save(tmp_path, b'{"a":1}\n\n{"a":2}\nbroken\n')) == ["line 1", "line 3", "line 4"]
    path = save(tmp_path, b'\n[\n{"a":1},{"a":\n2},\n\n{"a":3}]', "list.json")
    assert places(READER, path) == ["line 3", "line 3", "line 6"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"a": 1} x', 'not JSON: {"a": 1} x'),
        (b'{"a": 1}{"a": 2}', 'not JSON: {"a": 1}{"a": 2}'),
        (b'{"a": NaN}', 'not JSON: {"a": NaN}'),
        (b'{"a": ', 'not JSON: {"a":'),
        (b"id,name", "not JSON: id,name"),
        (b"[1, 2]", "JSON, but no object: [1, 2]"),
        (b'{"a": "\\ud800"}', 'text that is not Unicode: {"a": "\\ud800"}'),
        (b'{"a": "\xe9"}', 'bytes that are not UTF-8: {"a": "é"}'),
    ],
)
def test_a_line_that_is_no_object_is_told_with_its_text(tmp_path: Path, line: bytes, told: str) -> None:
    path = save(tmp_path, ['{"a": "é"}'.encode(), line, b'{"a": "\\ud83d\\ude00"}'])
    assert faults(READER, path) == [told]
    assert rows(READER, path) == [("é",), ("😀",)]


def test_depth_without_end_is_told_and_cut_to_what_a_person_can_read(tmp_path: Path) -> None:
    path = save(tmp_path, [b'{"a": 1}', b'{"a": ' + b"[" * 100_000])
    (told,) = faults(READER, path)
    assert len(told) == len("not JSON: ") + 2000


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 990])
def test_values_in_values_are_read_or_told_however_deep(tmp_path: Path, depth: int) -> None:
    lists = '{"a": ' + "[" * depth + '"\\ud83d\\ude00"' + "]" * depth + "}"
    nested = '{"a": ' * depth + "1" + "}" * depth
    found = frame(READER, save(tmp_path, "\n".join(['{"a": 1}', lists, nested]).encode()))
    assert len(found) == 3
    assert found["_fault"].null_count() == (3 if depth < 400 else found["_fault"].null_count())


def test_a_broken_object_in_a_list_is_told_and_its_neighbours_stay_right(tmp_path: Path) -> None:
    path = save(tmp_path, b'[\n  {"a": 1},\n  {"a": {"b":\n    {"x": 1} oops},\n  {"a": 3}\n]')
    assert faults(READER, path) == ['not JSON: {"a": {"b":\n    {"x": 1} oops},']
    assert rows(READER, path) == [("1",), ("3",)]


@pytest.mark.parametrize("cut", ['[{"a": 1}, {"a": "2', '[{"a": 1}, {"a"', '[{"a": 1},', '[{"a": 1}'])
def test_a_list_that_is_cut_short_is_told(tmp_path: Path, cut: str) -> None:
    path = save(tmp_path, cut.encode())
    assert rows(READER, path) == [("1",)]
    assert len(faults(READER, path)) == 1


def test_a_list_in_one_line_that_breaks_in_the_middle_is_no_delivery(tmp_path: Path) -> None:
    path = save(tmp_path, b'[{"a": 1}, {"a": oops}' + b', {"a": 2}' * 1000 + b"]")
    with pytest.raises(DeliveryError, match=r"breaks in line 1, .*Fetch it again"):
        READER.columns(path, Layout())


@pytest.mark.parametrize("content", [b"[]", b"id,name\n1,Ann\n", b"[1, 2]", b"\n\n", b'{"a": 1'])
def test_a_file_without_any_object_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DeliveryError, match="holds no JSON object"):
        READER.columns(save(tmp_path, content), Layout())


def test_keys_that_are_values_are_told(tmp_path: Path) -> None:
    content = json.dumps({f"order {number}": 1 for number in range(parts.MOST_COLUMNS + 1)}).encode()
    with pytest.raises(DeliveryError, match=r"more than 10,000 columns: keys seem to be values"):
        READER.columns(save(tmp_path, content), Layout())


def test_parts_with_different_keys_are_one_table(tmp_path: Path) -> None:
    objects = [{"a": number} if number % 3 else {"b": {"c": number}} for number in range(50)]
    path = save(tmp_path, "\n".join(map(json.dumps, objects)).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_ROWS", 7)
        found = frame(READER, path)
    assert found["a"].to_list() == [str(number) if number % 3 else None for number in range(50)]
    assert found["b.c"].to_list() == [None if number % 3 else str(number) for number in range(50)]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
objects = st.lists(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), values, min_size=1, max_size=4),
    min_size=1,
    max_size=6,
)


def flat(value: dict[str, object], prefix: str = "") -> dict[str, object]:
    """The slow and obvious way."""
    found: dict[str, object] = {}
    for key, item in value.items():
        found |= flat(item, f"{prefix}{key}.") if isinstance(item, dict) and item else {prefix + key: item}  # type: ignore[arg-type]
    return found


@SOME
@given(objects, st.sampled_from(["lines", "list", "indented"]), st.sampled_from([5, 1 << 20]))
def test_what_python_writes_is_read_back(
    tmp_path: Path, written: list[dict[str, object]], how: str, chunk: int
) -> None:
    text = (
        "\n".join(map(json.dumps, written))
        if how == "lines"
        else json.dumps(written, indent=1 if how == "indented" else None)
    )
    path = save(tmp_path, text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "CHUNK", chunk)
        found = frame(READER, path)
    assert found["_fault"].null_count() == len(found) == len(written)
    for row, value in zip(found.iter_rows(named=True), written, strict=True):
        expected = {name: item for name, item in flat(value).items() if item not in (None, "", {})}
        assert {name: item for name, item in row.items() if item is not None}.keys() == expected.keys()
        for name, item in expected.items():
            told = row[name]
            if isinstance(item, list):
                assert json.loads(told) == item
            elif isinstance(item, bool):
                assert told == json.dumps(item)
            elif isinstance(item, int | float):
                assert Decimal(told) == Decimal(json.dumps(item))
            else:
                assert told == item
