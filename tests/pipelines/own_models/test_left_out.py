"""Who took no part is told with how often and why; of those that did, nothing."""

from datetime import date

import polars as pl

from pipelines.own_models.left_out import left_out

EARLY, LATE = date(2023, 1, 31), date(2023, 4, 30)
ROWS = pl.DataFrame(
    [
        (LATE, "steady", True, "Hardly determined."),
        (EARLY, "steady", True, ""),
        (LATE, "broken", False, "Model broken failed:\n  KeyError: 'late'."),
        (EARLY, "broken", False, "Model broken failed: KeyError: 'early'."),
        (LATE, "slow", True, ""),
        (EARLY, "slow", False, "x" * 300),
    ],
    schema=["cut", "model", "took_part", "notes"],
    orient="row",
)


def test_who_took_no_part_is_told_with_the_newest_reason() -> None:
    broken, slow = left_out(ROWS)
    assert broken.says() == "Model broken took no part: Model broken failed: KeyError: 'late'."
    assert slow.says() == "Model slow took no part at 1 of 2 origins: " + "x" * 300
    assert slow.says(200) == "Model slow took no part at 1 of 2 origins: " + "x" * 200 + " ..."


def test_where_all_took_part_there_is_nothing_to_tell() -> None:
    assert left_out(ROWS.filter("took_part")) == []
    assert left_out(ROWS.clear()) == []
