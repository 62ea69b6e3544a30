"""The cells of a WooCommerce export that hold many things at once: line items, refunds, and dates in American order.

How the plugin writes them (`generate_row_data` in
https://plugins.trac.wordpress.org/browser/order-import-export-for-woocommerce): ``name:Mug|product_id:12|sku:MUG|
quantity:2|total:20.00|sub_total:25.00|...`` with a separator that shops may change, and for refunds
``amount:5.00|reason:broken|date:2026-05-01 12:00:00``, parted by semicolons, which reasons may hold as well. Amounts of
items are without tax, ``sub_total`` before discount. What they mean for orders is `woocommerce_orders`' business.
"""

import polars as pl

from pipelines.sources.optional_cells import AMOUNT, amount

SEPARATOR = r"\s*[|;,]+\s*"
AMERICAN = r"^\s*(\d{1,2})/(\d{1,2})/(\d{4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*$"
REFUND = r"(?s)amount:\s*([^|;]*?)\s*\|\s*reason:(.*?)\s*\|\s*date:\s*([0-9/: T-]+)"


def item_field(item: pl.Expr, name: str) -> pl.Expr:
    """Read one field of a line item; null where it is not there or empty."""
    match name:
        case "name":
            pattern = rf"(?s)^\s*name:(.*?){SEPARATOR}product_id:"
        case "sku":
            pattern = rf"(?s){SEPARATOR}sku:(.*?){SEPARATOR}quantity:"
        case _:
            pattern = rf"{SEPARATOR}{name}:\s*(-?[0-9.]+)"
    return _filled(item.str.extract(pattern).str.strip_chars())


def refunds(cell: pl.Expr) -> pl.Expr:
    """Part a cell of refunds into a list of them; null where not all of it can be read."""
    found = cell.str.extract_all(REFUND)
    return pl.when(found.list.len() == cell.str.count_matches(r"(?:^|;)\s*amount:")).then(found)


def refund_field(refund: pl.Expr, name: str) -> pl.Expr:
    """Read ``amount``, ``reason`` or ``date`` of a refund; null where it is empty."""
    return _filled(refund.str.extract(REFUND, ("amount", "reason", "date").index(name) + 1))


def _filled(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def in_iso(moment: pl.Expr) -> pl.Expr:
    """Write month/day/year as ISO 8601; newer versions of the plugin do so themselves, and theirs stays as it is."""
    month, day, year, hour, minute, second = (moment.str.extract(AMERICAN, group) for group in range(1, 7))
    clock = (part.fill_null("00").str.zfill(2) for part in (hour, minute, second))
    written = pl.concat_str(
        pl.concat_str(year, month.str.zfill(2), day.str.zfill(2), separator="-"),
        pl.concat_str(*clock, separator=":"),
        separator=" ",
    )
    return pl.coalesce(written, moment)


def unit_price(goods: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the largest price of a piece, of four decimals, that does not take a line above what it is worth.

    What a line is worth cannot always be parted into equal prices: 10.00 are three pieces of 3.3333 and 0.0001. Where
    there are no pieces the price is 0.
    """
    pieces = amount(quantity).to_physical()
    price = (
        pl.when(pieces != 0).then(amount(goods).to_physical() * 10_000 // pieces).when(pieces == 0).then(0)
    )
    return price.cast(AMOUNT) / 10_000
