"""The reading file: an Excel workbook for people, in the list's order, with names where the shop delivered them.

It holds no address, says why each person is on the list, and its name says that it is not to be uploaded. How the
workbook looks belongs to `workbook`.
"""

import polars as pl

from pipelines.delivery.platforms.platform import XLSX, Platform, Terms

MOST_ROWS = 20_000
"""Nobody reads more; a workbook of a million rows takes minutes to write and to open (Excel holds 1,048,576)."""
HEADINGS = {
    "external_id": "Customer",
    "first_name": "First name",
    "last_name": "Last name",
    "stage": "Stage",
    "reason": "Why",
    "last_order_day": "Last order",
    "valid_orders": "Orders",
    "historic_clv": "Spent so far",
    "predicted_clv_365d": "Expected in a year",
    "drivers": "What speaks for and against another order",
}
SPELT = {
    "12m": "in 12 months", "365d": "in 365 days", "90d": "in 90 days", "clv": "spending", "csat": "CSAT", "nps": "NPS",
    "r": "recency score", "f": "frequency score", "m": "money score", "rfm": "RFM",
}  # fmt: skip
WHERE_DELIVERED = ("first_name", "last_name", "drivers")
"""Left out where nobody on the list has any."""
IN_WORDS = ("stage", "previous_stage", "rfm_segment", "shopify_segment", "tier", "churn_band", "channel")


def heading(column: str) -> str:
    """What a column is called in the file."""
    words = " ".join(SPELT.get(word, word) for word in column.split("_"))
    return HEADINGS.get(column, words[:1].upper() + words[1:])


def rows(people: pl.LazyFrame, terms: Terms, most: int = MOST_ROWS) -> pl.LazyFrame:
    """The first people of the list with typed cells.

    Parameters
    ----------
    most
        At most so many; the notes sheet says so where the list has more.
    """
    columns = list(dict.fromkeys((*HEADINGS, *terms.columns)))
    shown = people.bottom_k(most, by="position").sort("position").select("customer_key", *columns).collect()
    unknown = [name for name in WHERE_DELIVERED if shown[name].null_count() == shown.height]
    return shown.lazy().select(
        "customer_key",
        *(_cell(name, shown.schema[name]).alias(heading(name)) for name in columns if name not in unknown),
    )


def _cell(column: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    if dtype.is_float():
        # A spreadsheet has no cell for what is not a number.
        return pl.when(value.is_finite()).then(value)
    if column in IN_WORDS:
        return value.str.replace_all("_", " ", literal=True).str.to_lowercase()
    return value


PLATFORM = Platform(
    name="reading",
    title="For reading (Excel)",
    channels=("email", "sms", "ads"),
    needs=(),
    suffix=".for-reading.xlsx",
    headings=tuple(HEADINGS.values()),
    rows=rows,
    media_type=XLSX,
    is_upload=False,
    takes_columns=True,
)
