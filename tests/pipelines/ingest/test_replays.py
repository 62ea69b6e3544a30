"""Replays are a multiset rule: the nth copy of a row is one if an earlier delivery brought n copies of it."""

from collections import Counter
from collections.abc import Sequence

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.replays import UNITS, mark_replays, without_pure_replays

Lines = list[tuple[str | None, str | None]]
CONTENT = ["order_id", "product_id"]
ROWS = st.lists(st.tuples(st.sampled_from(["1", "2", None]), st.sampled_from(["A", "B", None])), max_size=8)


def frame(rows: Sequence[tuple[str | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(CONTENT, pl.String), orient="row")


def land_all(
    deliveries: Sequence[Sequence[tuple[str | None, str | None]]], table: str
) -> list[tuple[int, int, int]]:
    """Land one delivery after the other; rows, replays and kept rows of each."""
    kept = [frame([]).with_columns(pl.lit("").alias("delivery_id"), pl.lit(False).alias("is_replay"))]
    counts: list[tuple[int, int, int]] = []
    for number, rows in enumerate(deliveries):
        earlier = pl.concat(kept).lazy()
        marked = mark_replays(frame(rows).lazy(), earlier, CONTENT).collect()
        assert marked.drop("is_replay").equals(frame(rows))
        landed = without_pure_replays(marked.lazy(), earlier, CONTENT, UNITS.get(table)).collect()
        kept.append(landed.with_columns(pl.lit(f"{number}").alias("delivery_id")).select(kept[0].columns))
        counts.append((len(rows), int(marked["is_replay"].sum()), landed.height))
    return counts


@given(st.lists(ROWS, max_size=5))
@settings(max_examples=80, deadline=None)
def test_replays_agree_with_counting_by_hand(deliveries: list[Lines]) -> None:
    most: Counter[tuple[str | None, str | None]] = Counter()
    for rows, (_, replays, kept) in zip(deliveries, land_all(deliveries, "survey_answers"), strict=True):
        times = Counter(rows)
        assert replays == (times & most).total()
        assert kept == (times - most).total()
        most |= times


@given(st.lists(ROWS, max_size=5))
@settings(max_examples=80, deadline=None)
def test_an_order_is_kept_whole_unless_one_earlier_delivery_brought_all_of_it(
    deliveries: list[Lines],
) -> None:
    most: Counter[tuple[str | None, str | None]] = Counter()
    versions: list[tuple[str | None, Counter[str | None]]] = []
    for rows, (_, replays, kept) in zip(deliveries, land_all(deliveries, "orders"), strict=True):
        expected = 0
        for order in {order for order, _ in rows}:
            lines = Counter(product for other, product in rows if other == order)
            if not any(known == order and lines <= version for known, version in versions):
                versions.append((order, lines))
                expected += lines.total()
        assert replays == (Counter(rows) & most).total()
        assert kept == expected
        most |= Counter(rows)


def test_an_order_that_came_in_halves_is_new_when_it_comes_whole() -> None:
    halves, whole = [[("1", "A")], [("1", "B")]], [("1", "A"), ("1", "B")]
    assert land_all([*halves, whole, whole], "orders") == [(1, 0, 1), (1, 0, 1), (2, 2, 2), (2, 2, 0)]


def test_the_same_file_twice_is_all_replays_and_half_of_it_too() -> None:
    file = [("1", "A"), ("1", "A"), ("2", "B")]
    assert land_all([file, file, file[:1]], "orders") == [(3, 0, 3), (3, 3, 0), (1, 1, 0)]


def test_a_third_copy_of_a_line_is_new() -> None:
    assert land_all([[("1", "A")] * 2, [("1", "A")] * 3], "survey_answers") == [(2, 0, 2), (3, 2, 1)]


def test_a_second_copy_is_a_replay_even_where_its_first_was_one() -> None:
    # The second delivery keeps only what is new of it, and the third must know that it held both.
    one, two = [("1", "A")], [("1", "A")] * 2
    assert [replays for _, replays, _ in land_all([one, two, two], "survey_answers")] == [0, 1, 2]


def test_what_is_missing_is_content_like_any_other() -> None:
    assert land_all([[("1", None)], [(None, "1")], [("1", None)]], "survey_answers")[1:] == [
        (1, 0, 1),
        (1, 1, 0),
    ]
