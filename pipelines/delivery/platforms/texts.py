"""Names and properties as cells of an upload file: typed text, checked, never escaped.

What a cell may not hold stops its row (the row is dropped and counted): escaping would reach the customer as part of
their name. Free text never gets here. Hashing belongs to `hashing`, addresses to `addresses`.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from data_contracts import table

MOST_BYTES = 255
"""What Mailchimp keeps of a text (mailchimp.com/help/format-guidelines-for-your-import-file); others allow more."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫")
"""First characters that a spreadsheet may take for a formula, with their full-width and small forms (OWASP, CSV
Injection)."""
LOOKS_LIKE_A_FORMULA = r"^[\s\p{Z}\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫\t\r\n]"
"""Blanks and characters that nobody sees before it change nothing: programs trim them."""
_NO_TEXT = r"[\p{Cc}\x{2028}\x{2029}]"
SAYS_SOMETHING = r"[\p{L}\p{N}]"
MONEY_DIGITS = 2
OTHER_DIGITS = 4


def is_fit(text: pl.Expr) -> pl.Expr:
    """Whether a text may stand in an upload file; an absent one may, and so may one that says nothing, as "-"."""
    trimmed = text.str.strip_chars()
    refused = trimmed.str.contains(SAYS_SOMETHING) & (
        trimmed.str.contains(_NO_TEXT)
        | trimmed.str.contains(LOOKS_LIKE_A_FORMULA)
        | (trimmed.str.len_bytes() > MOST_BYTES)
    )
    return ~refused.fill_null(False)


def name(column: str) -> pl.Expr:
    """A person's name, trimmed, blanks single; null where there is no letter in it, as in "-" or "."."""
    text = pl.col(column).str.strip_chars().str.replace_all(r" +", " ")
    return pl.when(text.str.contains(r"\p{L}")).then(text)


def properties(columns: Sequence[str]) -> Mapping[str, pl.Expr]:
    """The list's own columns of customer_profile as text: plain decimals, YYYY-MM-DD, true and false."""
    return {column: _as_text(column) for column in columns}


def without_punctuation(text: pl.Expr) -> pl.Expr:
    """Letters, marks, digits and single blanks of a text; null where no letter is left."""
    bare = text.str.replace_all(r"[^\p{L}\p{M}\p{N} ]", "").str.replace_all(r" +", " ").str.strip_chars()
    return pl.when(bare.str.contains(r"\p{L}")).then(bare)


def are_fit(columns: Sequence[str], *more: str) -> pl.Expr:
    """Whether a person's texts may all stand in a file: the list's own columns of text, and those named beside."""
    schema = table("customer_profile").schema
    written = [*(name for name in columns if schema.get(name) == pl.String), *more]
    return pl.all_horizontal(pl.lit(True), *(is_fit(pl.col(name)) for name in written))


def plain_number(value: pl.Expr, digits: int) -> pl.Expr:
    """A number in plain decimals with a dot; null for what is none."""
    rounded = value.round(digits).cast(pl.Decimal(38, digits), strict=False)
    return pl.when(value.is_finite()).then(rounded).cast(pl.String)


def _as_text(column: str) -> pl.Expr:
    promised = {entry.name: entry for entry in table("customer_profile").columns}[column]
    value = pl.col(column)
    match promised.kind:
        case "text":
            trimmed = value.str.strip_chars()
            return pl.when(trimmed.str.contains(SAYS_SOMETHING)).then(trimmed)
        case "number" | "money":
            is_money = promised.unit == "shop currency"
            return plain_number(value.cast(pl.Float64), MONEY_DIGITS if is_money else OTHER_DIGITS)
        case "day":
            return value.dt.strftime("%Y-%m-%d")
        case "moment":
            return value.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return value.cast(pl.String)
