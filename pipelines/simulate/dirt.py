"""Broken rows: copies of good ones with one cell spoilt, each with the rules of the contracts that it must break.

They are added to what the shop exports, never put in the place of a good row, so that setting them aside gives back the
true numbers. Which row of which file is broken is told in ``truth/dirty_rows.parquet``. The rules themselves stand in
data_contracts/suites.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulate.block import DELIVERY

LEAST_ROWS = 20
"""Smaller pieces of a delivery stay clean: a rule that fails on a fifth of a delivery sets all of it aside."""
NOBODY: dict[str, str | None] = {"customer_id": None, "email": None, "phone": None}


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One way of breaking a row: what stands in which cells, and which critical rules say so."""

    cells: Mapping[str, str | None]
    rules: tuple[str, ...]


WAYS: Mapping[str, tuple[Spoilt, ...]] = {
    "orders": (
        Spoilt({"order_id": None}, ("order_id_is_given",)),
        Spoilt({"ordered_at": None}, ("ordered_at_is_given",)),
        Spoilt({"ordered_at": "2099-06-01 12:00:00"}, ("ordered_at_is_past",)),
        Spoilt({"ordered_at": "last week"}, ("ordered_at_is_given", "ordered_at_is_readable")),
        Spoilt({"product_id": None}, ("product_id_is_given",)),
        Spoilt({"quantity": "a few"}, ("quantity_is_given", "quantity_is_readable")),
        Spoilt({"quantity": "1.5"}, ("quantity_is_given", "quantity_is_readable")),
        Spoilt({"unit_price": "on request"}, ("unit_price_is_given", "unit_price_is_readable")),
        Spoilt({"unit_price": None}, ("unit_price_is_given",)),
        Spoilt({"unit_price": "-12.50", "kind": "merchandise"}, ("price_is_not_negative",)),
        Spoilt({"discount": "ask Ada"}, ("discount_is_readable",)),
        Spoilt({"quantity": "99999999999"}, ("value_fits",)),
        Spoilt({"currency": "XXX"}, ("currency_is_known",)),
        Spoilt({"is_test": "perhaps"}, ("is_test_is_readable",)),
    ),
    "returns": (
        Spoilt({"return_id": None}, ("return_id_is_given",)),
        Spoilt({"returned_at": None}, ("returned_at_is_given",)),
        Spoilt({"amount": "-10.00"}, ("amount_is_not_negative",)),
        Spoilt({"amount": "all of it"}, ("amount_is_readable",)),
        Spoilt({"currency": "XXX"}, ("currency_is_known",)),
        Spoilt({"quantity": None, "amount": None}, ("amount_or_goods_are_given",)),
    ),
    "survey_invitations": (
        Spoilt({"survey_id": None}, ("survey_id_is_given",)),
        Spoilt({"kind": "npss"}, ("kind_is_known",)),
        Spoilt({"sent_at": None}, ("sent_at_is_given",)),
    ),
    "survey_answers": (
        Spoilt({"score": "11"}, ("score_is_on_the_scale",)),
        Spoilt({"score": "great"}, ("score_is_given", "score_is_readable")),
        Spoilt({"answered_at": None}, ("answered_at_is_given",)),
    ),
    "customers": (
        Spoilt(NOBODY, ("customer_is_named",)),
        Spoilt({"created_at": "soon"}, ("created_at_is_readable",)),
    ),
    "consents": (Spoilt(NOBODY, ("customer_is_named",)),),
    "suppressions": (
        Spoilt({"kind": "angry"}, ("kind_is_known",)),
        Spoilt({"recorded_at": None}, ("recorded_at_is_given",)),
    ),
    "shipments": (
        Spoilt({"shipment_id": None}, ("shipment_id_is_given",)),
        Spoilt({"order_id": None}, ("order_id_is_given",)),
        Spoilt({"delivered_at": "at the neighbour's"}, ("delivered_at_is_readable",)),
    ),
    "tickets": (
        Spoilt({"ticket_id": None}, ("ticket_id_is_given",)),
        Spoilt({"opened_at": None}, ("opened_at_is_given",)),
    ),
    "messages": (
        Spoilt({"message_id": None}, ("message_id_is_given",)),
        Spoilt({"sent_at": "now"}, ("sent_at_is_given", "sent_at_is_readable")),
    ),
    "loyalty_ledger": (
        Spoilt({"points": None}, ("points_is_given",)),
        Spoilt({"entry_id": None}, ("entry_id_is_given",)),
    ),
    "referrals": (Spoilt({"referral_id": None}, ("referral_id_is_given",)),),
    "costs": (
        Spoilt({"amount": "tbd"}, ("amount_is_given", "amount_is_readable")),
        Spoilt({"day": None}, ("day_is_given",)),
    ),
    "campaign_assignments": (
        Spoilt({"assignment": "maybe"}, ("assignment_is_known",)),
        Spoilt({"campaign": None}, ("campaign_is_given",)),
    ),
}  # fmt: skip


RULES = "_rules"
"""Column of a broken row that says which rules it breaks, as quarantine writes them; never written."""


def spoil(table: str, rows: pl.DataFrame, share: float, generator: np.random.Generator) -> pl.DataFrame:
    """Copy about ``share`` of the rows and spoil each copy in one way; `RULES` says what it breaks.

    Parameters
    ----------
    rows
        With the delivery that brings each; a copy goes with its original.
    """
    ways = WAYS[table]
    size = pl.len().over(DELIVERY)
    eligible = rows.select(pl.arg_where(size >= LEAST_ROWS)).to_series()
    count = int(eligible.len() * share + generator.random())
    chosen = np.sort(generator.integers(0, max(eligible.len(), 1), min(count, eligible.len())))
    way = generator.integers(0, len(ways), len(chosen))
    columns = {cell for one in ways for cell in one.cells} & set(rows.columns)
    named = pl.Series([",".join(sorted(one.rules)) for one in ways], dtype=pl.String).gather(way)
    copies = rows[eligible.gather(chosen)].with_columns(pl.Series("_way", way), named.alias(RULES))
    return copies.with_columns(_spoilt(ways, name).alias(name) for name in sorted(columns)).drop("_way")


def _spoilt(ways: tuple[Spoilt, ...], column: str) -> pl.Expr:
    cell = pl.col(column)
    for number, way in enumerate(ways):
        if column in way.cells:
            cell = (
                pl.when(pl.col("_way") == number).then(pl.lit(way.cells[column], pl.String)).otherwise(cell)
            )
    return cell
