"""Countries: named by code or by name, or not named."""

import polars as pl
import pytest
from phonenumbers import SUPPORTED_REGIONS

from pipelines.ingest.countries import ALSO_CALLED, country_codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GB", "GB"),
        (" de ", "DE"),
        ("United Kingdom", "GB"),
        ("UK", "GB"),
        ("EIRE", "IE"),
        ("Deutschland", "DE"),
        ("Allemagne", "DE"),
        ("Österreich", "AT"),
        ("Nederland", "NL"),
        ("United States", "US"),
        ("ZZ", None),
        ("Unspecified", None),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_known_by_code_and_by_name(text: str | None, code: str | None) -> None:
    assert country_codes(pl.Series([text], dtype=pl.String)).to_list() == [code]


def test_every_code_means_itself_and_every_further_name_a_country() -> None:
    codes = sorted(SUPPORTED_REGIONS)
    assert country_codes(pl.Series(codes)).to_list() == codes
    assert set(ALSO_CALLED.values()) <= set(codes)
