"""Money in other currencies: the latest rate on or before the day, one exact rounding, a rule where none holds."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_contracts.dictionary import delivered_columns
from pipelines.ingest.currency import in_shop_currency, returns_in_shop_currency, standing_rates
from pipelines.ingest.derived import with_flags
from pipelines.ingest.numbers import with_numbers
from pipelines.ingest.quarantine import valid_rows
from pipelines.ingest.values import typed
from pipelines.ingest.versions import current_orders
from pipelines.shop import Numbers, Shop
from tests.pipelines.ingest.composed_rows import row
from tests.pipelines.small_shops import SETTINGS, order_line, raw_rows, return_row, write_shop

Rows = Sequence[dict[str, Any]]
DAY_ONE = date(2024, 3, 1)
HOLDS_DAYS = 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("currency")
    rules = f"[orders]\nrate_holds_days = {HOLDS_DAYS}\n"
    return write_shop(folder, settings=SETTINGS.replace("[orders]\n", rules))


def valid(table: str, rows: Rows, shop: Shop, delivery_id: str = f"orders-{'0' * 12}-1") -> pl.LazyFrame:
    raw = raw_rows(table, rows, delivery_id)
    return valid_rows(raw, raw.filter(pl.lit(False)), table, shop).collect().lazy()


def rate(value: str, day: str = "2024-03-01", currency: str = "EUR", **changes: Any) -> dict[str, Any]:
    return row("rates", rate=value, day=day, currency=currency, **changes)


def known(table: str, rows: Rows, shop: Shop, rates: Rows | None) -> list[bool]:
    frame = raw_rows(table, rows).pipe(typed, delivered_columns(table), shop.zone)
    flagged = with_flags(frame, table, shop, None if rates is None else valid("rates", rates, shop))
    return flagged.sort("row_number").collect()["currency_is_known"].to_list()


def prices(rows: Rows, rates: Rows | None, shop: Shop) -> list[Decimal]:
    found = in_shop_currency(
        valid("orders", rows, shop), "orders", shop, None if rates is None else valid("rates", rates, shop)
    )
    return found.sort("row_number").collect()["unit_price"].to_list()


def test_amounts_in_the_shops_currency_stay_digit_for_digit(shop: Shop) -> None:
    rows = [order_line(currency=code, unit_price="10.0001") for code in (None, "GBP", " gbp ")]
    for rates in (None, [rate("2")], [rate("2", currency="GBP")]):
        assert prices(rows, rates, shop) == [Decimal("10.0001")] * 3
        assert known("orders", rows, shop, rates) == [True] * 3


@pytest.mark.parametrize("code", ["EUR", "eur", " Eur "])
def test_a_code_is_known_in_any_spelling_and_stays_what_was_paid_in(code: str, shop: Shop) -> None:
    rates = valid("rates", [rate("0.5", currency=code.strip().lower())], shop)
    found = in_shop_currency(
        valid("orders", [order_line(currency=code)], shop), "orders", shop, rates
    ).collect()
    assert found.select("unit_price", "currency").row(0) == (Decimal(5), "EUR")


@pytest.mark.parametrize(
    ("day", "price"),
    [
        ("2024-02-29", None),
        ("2024-03-01", "1"),
        ("2024-03-02", "1"),
        ("2024-03-03", "2"),
        ("2024-03-06", "2"),
        ("2024-03-07", None),
    ],
)
def test_the_latest_rate_on_or_before_the_day_holds_until_the_next_and_for_so_long(
    day: str, price: str | None, shop: Shop
) -> None:
    rates = [rate("0.1"), rate("0.2", "2024-03-03")]
    rows = [order_line(currency="EUR", ordered_at=f"{day} 12:00:00")]
    assert known("orders", rows, shop, rates) == [price is not None]
    assert prices(rows, rates, shop) == [price and Decimal(price)]


def test_the_day_is_the_shops(shop: Shop) -> None:
    rates = [rate("0.1", "2024-04-01"), rate("0.2", "2024-04-02")]
    rows = [
        order_line(currency="EUR", ordered_at=at) for at in ("2024-04-01T22:59:00Z", "2024-04-01T23:00:00Z")
    ]
    assert prices(rows, rates, shop) == [Decimal(1), Decimal(2)]


@pytest.mark.parametrize("table", ["orders", "returns", "costs"])
def test_without_a_rate_a_currency_is_unknown_and_with_one_known(table: str, shop: Shop) -> None:
    good = {"orders": order_line(), "returns": return_row(returned_at="2024-03-01"), "costs": row("costs")}
    rows = [good[table] | {"currency": code} for code in ("EUR", "USD", "Euro", "GBP", None)]
    assert known(table, rows, shop, None) == [False, False, False, True, True]
    assert known(table, rows, shop, [rate("0.8")]) == [True, False, False, True, True]


def test_of_two_versions_of_a_rate_the_newest_counts_in_any_order(shop: Shop) -> None:
    old, new = rate("0.1", updated_at="2024-03-01"), rate("0.2", updated_at="2024-03-02")
    for rates in ([old, new], [new, old]):
        assert prices([order_line(currency="EUR")], rates, shop) == [Decimal(2)]


def test_what_a_conversion_would_make_too_large_does_not_fit(shop: Shop) -> None:
    rows = [order_line(currency="EUR", unit_price="1000"), order_line(unit_price="1000", currency="GBP")]
    frame = raw_rows("orders", rows).pipe(typed, delivered_columns("orders"), shop.zone)
    flagged = with_flags(frame, "orders", shop, valid("rates", [rate("90000000")], shop))
    assert flagged.sort("row_number").collect()["value_fits"].to_list() == [False, True]


def settled(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.collect().lazy()


def returned(back: Rows, bought: Rows, rates: Rows, shop: Shop) -> list[tuple[Decimal | None, str]]:
    at = valid("rates", rates, shop)
    lines = valid("orders", bought, shop).pipe(in_shop_currency, "orders", shop, at)
    ids = [f"orders-{'0' * 12}-1"]
    current = settled(current_orders(lines, shop, dict.fromkeys(ids, "orders"), dict.fromkeys(ids, "shop")))
    rows = valid("returns", back, shop).pipe(with_numbers, "returns", {ids[0]: Numbers("shop", "shop")})
    found = returns_in_shop_currency(rows, current, shop, at).sort("row_number").collect()
    assert found.select(pl.exclude("amount", "currency")).equals(
        rows.select(pl.exclude("amount", "currency")).sort("row_number").collect()
    )
    return found.select("amount", "currency").rows()


def test_what_is_given_back_of_a_named_order_is_worth_what_it_was_when_paid(shop: Shop) -> None:
    rates = [rate("0.1"), rate("0.2", "2024-03-03"), rate("0.3", "2024-03-03", "USD")]
    bought = [order_line("1", currency="EUR", ordered_at="2024-03-01 12:00:00")]
    at = {"returned_at": "2024-03-04 12:00:00", "amount": "10"}
    back = [
        return_row("R1", order_id="1", currency="EUR", **at),
        return_row("R2", order_id="1", **at),
        return_row("R3", order_id="1", currency="GBP", **at),
        return_row("R4", currency="EUR", **at),
        return_row("R5", **at),
        return_row("R6", order_id="1", currency="USD", **at),
        return_row("R7", order_id="1", currency="EUR", **at | {"amount": None}),
    ]
    assert returned(back, bought, rates, shop) == [
        (Decimal(1), "EUR"),
        (Decimal(1), "EUR"),  # the order's currency, where the return says none
        (Decimal(10), "GBP"),
        (Decimal(2), "EUR"),  # names no order: the day of the return
        (Decimal(10), "GBP"),
        (Decimal(3), "USD"),  # no rate for the order's day: that of the return
        (None, "EUR"),
    ]


def test_rates_are_one_a_currency_and_day(shop: Shop) -> None:
    rates = [rate("1", "2024-03-01"), rate("2", "2024-03-02"), rate("3", "2024-03-02", "USD")]
    found = standing_rates(valid("rates", rates, shop), shop).sort("code", "on_day").collect()
    assert found.select("code", "on_day").is_unique().all()
    assert found.filter(code="EUR")["rate"].to_list() == [Decimal(1)] + [Decimal(2)] * (HOLDS_DAYS + 1)


AMOUNTS = st.decimals(Decimal("0.0000"), Decimal(99999), places=4)
RATES = st.one_of(
    st.sampled_from(["0.5", "1.5", "0.0001", "0.00005"]),
    st.decimals(Decimal("0.00000001"), Decimal(20000), places=8).map(str),
)
DAYS = st.integers(0, 9)


@given(
    st.lists(st.tuples(AMOUNTS, st.sampled_from(["EUR", "USD", "GBP"]), DAYS), min_size=1, max_size=5),
    st.dictionaries(st.tuples(st.sampled_from(["EUR", "USD"]), DAYS), RATES, min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_conversion_is_the_exact_product_rounded_once_to_the_even_neighbour(
    shop: Shop, rows: list[tuple[Decimal, str, int]], rates: dict[tuple[str, int], str]
) -> None:
    lines = [
        order_line(currency=code, unit_price=str(amount), ordered_at=f"{DAY_ONE + timedelta(day)} 12:00:00")
        for amount, code, day in rows
    ]
    expected: list[Decimal | None] = []
    for amount, code, day in rows:
        usable = [on for currency, on in rates if currency == code and 0 <= day - on <= HOLDS_DAYS]
        if code == "GBP":
            expected.append(amount)
        elif usable:
            exact = amount * Decimal(rates[code, max(usable)])
            expected.append(exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN))
        else:
            expected.append(None)
    delivered = [rate(value, f"{DAY_ONE + timedelta(day)}", code) for (code, day), value in rates.items()]
    assert prices(lines, delivered, shop) == expected
