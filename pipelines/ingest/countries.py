"""Which country a row names, by code or by name in many languages.

Used to read phone numbers that don't say their country. phonenumbers brings the names; they are loaded only
when a file writes names, for they take 100 MB.
"""

from functools import cache

import polars as pl

ALSO_CALLED = {
    "czechia": "CZ",
    "eire": "IE",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "scotland": "GB",
    "the netherlands": "NL",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "wales": "GB",
}
"""Names that shops use and the library's list lacks."""


def country_codes(delivered: pl.Series) -> pl.Series:
    """Give ISO 3166 codes of two letters, as long as ``delivered``; null where no country is named."""
    named = delivered.str.strip_chars().str.to_lowercase()
    codes = {text: _code(text) for text in named.unique().drop_nulls()}
    return named.replace_strict(codes, default=None, return_dtype=pl.String)


def is_country_code(text: str) -> bool:
    """Whether phonenumbers knows a country of this code."""
    from phonenumbers import SUPPORTED_REGIONS

    return text in SUPPORTED_REGIONS


def _code(text: str) -> str | None:
    if text in ALSO_CALLED:
        return ALSO_CALLED[text]
    if len(text) == 2:
        return text.upper() if is_country_code(text.upper()) else None
    return _names().get(text) if text else None


@cache
def _names() -> dict[str, str]:
    """Lower-case names of countries in all languages that the library has; none of them names two."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    # "*en" stands for: the same name as in that language.
    return {
        name.lower(): region
        for region, names in LOCALE_DATA.items()
        for name in names.values()
        if not name.startswith("*")
    }
