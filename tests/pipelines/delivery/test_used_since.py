"""A list that was used after a run, or on a day that its data do not reach, is not told to be unused. Composed."""

from datetime import date

import polars as pl

from pipelines.delivery.used_since import with_uses_since

RESULTS = pl.DataFrame(
    {
        "as_of": [date(2024, 5, 31)] * 3,
        "campaign": ["a-2024-Q2", "b-2024-Q2", "c-2024-Q2"],
        "state": ["not_used", "not_used", "closed"],
        "says": ["Not used.", "Not used.", "It worked."],
    }
)
LISTS = pl.DataFrame(
    {
        "list_id": ["a-2024-05-30", "a-2024-05-31", "b-2024-05-31", "c-2024-05-31"],
        "campaign": ["a-2024-Q2", "a-2024-Q2", "b-2024-Q2", "c-2024-Q2"],
    }
)


def test_the_first_day_of_use_is_told_with_the_day_that_the_data_reach() -> None:
    used = pl.DataFrame(
        {
            "list_id": ["a-2024-05-31", "a-2024-05-30", "c-2024-05-31"],
            "used_on": [date(2024, 6, 2), date(2024, 6, 1), date(2024, 5, 31)],
        }
    )
    told = with_uses_since(RESULTS, LISTS, used)
    assert told["says"].to_list() == [
        "Its list was used on 2024-06-01. This run knows the days up to 2024-05-31; a run that knows that day begins "
        "to count.",
        "Not used.",
        "It worked.",
    ]
    assert told.drop("says").equals(RESULTS.drop("says"))


def test_without_any_use_nothing_changes() -> None:
    nothing = pl.DataFrame(schema={"list_id": pl.String, "used_on": pl.Date})
    assert with_uses_since(RESULTS, LISTS, nothing).equals(RESULTS)
