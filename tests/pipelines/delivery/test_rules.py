"""Rules: what a list may ask, how a wrong rule is told, and that a rule reads nothing but the profile."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.rules import ROW, answers, bought_asked, positions
from pipelines.errors import ShopError
from pipelines.settings import SegmentList
from tests.pipelines.published_shops import entry, profile

PEOPLE = profile(
    [
        {
            "customer_key": "a",
            "valid_orders": 1,
            "stage": "new",
            "last_nps": 9,
            "first_order_day": date(2024, 5, 1),
        },
        {"customer_key": "b", "valid_orders": 2, "stage": "active", "first_order_day": date(2024, 1, 1)},
        {"customer_key": "c", "valid_orders": 3, "stage": "active", "last_nps": 2},
    ]
)


def apply_rule(people: pl.DataFrame, one: SegmentList) -> pl.DataFrame:
    """Answer and order of everybody: customer_key, is_eligible, is_null_decided, position."""
    rows = people.with_row_index(ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    answer = answers(rows, one)
    return rows.select(
        ROW,
        "customer_key",
        answer.fill_null(one.null_means == "in").alias("is_eligible"),
        answer.is_null().alias("is_null_decided"),
    ).join(positions(rows, one), on=ROW)


def eligible(where: str, **changes: object) -> list[str]:
    answered = apply_rule(PEOPLE, entry(where=where, **changes))
    return answered.filter("is_eligible")["customer_key"].to_list()


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ("valid_orders >= 2", ["b", "c"]),
        ("STAGE IN ('new') or Valid_Orders = 3", ["a", "c"]),
        ("stage LIKE 'act%' AND NOT last_nps IS NULL -- a comment ends with the rule", ["c"]),
        ("valid_orders BETWEEN 1 AND 2 AND stage ~ 'a.*'", ["b"]),
        ("first_order_day + INTERVAL 3 months < as_of", ["b"]),
        ("coalesce(last_nps, 10) > CASE WHEN stage = 'new' THEN 8 ELSE 3 END", ["a", "b"]),
        ("percent_rank() OVER (ORDER BY valid_orders) > 0.9", ["c"]),
        ("stage = '; DROP TABLE customer_profile; --'", []),
    ],
)
def test_a_rule_is_any_yes_or_no_expression_over_the_profile(where: str, chosen: list[str]) -> None:
    assert eligible(where) == chosen


def test_what_a_missing_value_decides_is_the_lists_setting_and_is_counted() -> None:
    assert eligible("last_nps >= 9") == ["a"]
    assert eligible("last_nps >= 9", null_means="in") == ["a", "b"]
    for null_means in ("in", "out"):
        answered = apply_rule(PEOPLE, entry(where="last_nps >= 9", null_means=null_means))
        assert answered.filter("is_null_decided")["customer_key"].to_list() == ["b"]
        assert answered["is_eligible"].null_count() == 0


def test_the_order_ranks_everybody_and_ties_go_by_key() -> None:
    answered = apply_rule(PEOPLE, entry(order_by="stage DESC, valid_orders % 1")).sort("position")
    assert answered["customer_key"].to_list() == ["a", "b", "c"]
    assert answered["position"].to_list() == [1, 2, 3]


def test_an_unknown_column_is_told_with_near_ones() -> None:
    with pytest.raises(
        ShopError, match=r"List everybody in shop.toml, where .* no column 'valid_order'. Did you mean"
    ):
        eligible("valid_order >= 2")
    with pytest.raises(ShopError, match=r"order_by .* no column 'historic_cvl'. Did you mean historic_clv"):
        eligible("true", order_by="historic_cvl DESC")


WRONG = [
    "",
    "   ",
    "valid_orders",
    "stage",
    "NULL",
    "stage = 'new",
    "stage = 'new' /*",
    "valid_orders >",
    "true, false",
    "stage::INTEGER > 1",
    "max(valid_orders) > 1",
    "COLUMNS(*) IS NULL",
    "$1 = 1",
]
INJECTIONS = [
    "true); DROP TABLE customer_profile; SELECT (true",
    "true) ; DROP TABLE",
    "true) AS BOOLEAN) AS answer, 1 AS position FROM customer_profile; --",
    "true) FROM customer_profile, customer_profile AS other WHERE (true",
    "true) UNION ALL SELECT (true",
    "true) FROM (VALUES (1)) AS v WHERE (true",
    "true) LIMIT (1",
    "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0",
    "(SELECT count(*) FROM '/etc/passwd') > 0",
    "(SELECT count(*) FROM glob('/*')) > 0",
    "EXISTS (SELECT 1 FROM duckdb_settings())",
    "valid_orders IN (SELECT valid_orders FROM customer_profile)",
    "(SELECT count(*) FROM profile) > 0",
    "unnest([true, false])",
    "json_execute_serialized_sql('x') IS NULL",
    "current_setting('home_directory') = ''",
    "write_log('x') IS NULL",
]
CLOCKS_AND_LOTS = [
    "random() < 0.5",
    "current_date > first_order_day",
    "now() > first_order_day",
    "today() > first_order_day",
    "age(first_order_day) > INTERVAL 1 day",
    "localtimestamp > first_order_day",
    "uuid() > 'a'",
]


@pytest.mark.parametrize("text", WRONG + INJECTIONS + CLOCKS_AND_LOTS)
def test_whatever_else_is_refused_in_one_line_that_names_list_and_setting(text: str) -> None:
    with pytest.raises(ShopError) as told:
        eligible(text)
    assert str(told.value).startswith(f"List everybody in shop.toml, where = {text!r}: ")
    assert "\n" not in str(told.value).replace(repr(text), "")
    assert "root:" not in str(told.value)


@pytest.mark.parametrize(
    "text", ["", "stage LIMIT 1", "stage) FROM x --", "(SELECT 1)", "random()", "stage; DROP TABLE x"]
)
def test_an_order_is_expressions_and_nothing_else(text: str) -> None:
    with pytest.raises(ShopError, match=r"List everybody in shop.toml, order_by"):
        eligible("true", order_by=text)


FRAGMENTS = st.sampled_from(
    [
        "true",
        "(",
        ")",
        ";",
        "--",
        "\n",
        "SELECT",
        "FROM customer_profile",
        "UNION",
        "valid_orders",
        ">",
        "1",
        ",",
        "'",
        "AS answer",
        "WHERE",
        "/*",
        "*/",
        "read_csv('/etc/passwd')",
        "stage",
        "IN",
        "NULL",
        "=",
        "DROP TABLE",
        "$$",
        "AND",
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map(" ".join))
def test_no_text_gives_anything_but_one_answer_per_customer_or_a_plain_refusal(text: str) -> None:
    try:
        answered = apply_rule(PEOPLE, entry(where=text))
    except ShopError:
        return
    assert answered["customer_key"].to_list() == ["a", "b", "c"]
    assert answered.schema["is_eligible"] == pl.Boolean
    assert sorted(answered["position"]) == [1, 2, 3]


def test_a_rule_may_ask_what_somebody_bought() -> None:
    one = entry(where="bought('224''23') AND NOT BOUGHT_CATEGORY( 'Lamps' ) OR bought('224''23') IS NULL")
    asked = bought_asked(one)
    assert [(question.what, question.value) for question in asked] == [
        ("bought", "224'23"),
        ("bought_category", "Lamps"),
    ]
    answered = PEOPLE.with_columns(
        pl.Series(asked[0].column, [True, True, False]), pl.Series(asked[1].column, [False, True, False])
    )
    assert apply_rule(answered, one)["is_eligible"].to_list() == [True, False, False]


@pytest.mark.parametrize("text", ["bought(stage)", "bought()", "bought('a', 'b')", "bought(lower('a'))"])
def test_what_was_bought_is_asked_by_one_text(text: str) -> None:
    with pytest.raises(ShopError, match=r"write bought with one text, such as bought\('22423'\)"):
        eligible(text)
