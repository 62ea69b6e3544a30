"""Who is one customer, and what a missing consent means."""

from typing import Literal

from pydantic import Field, field_validator

from pipelines.settings.base import Settings


class Identity(Settings):
    """Who is one customer (`pipelines.ingest.identity`).

    Attributes
    ----------
    phone_region
        ISO 3166 code of the country in which phone numbers without country code are read where their row
        names no country; without it such numbers name nobody.
    max_names
        An address with more ship-to names than this is one that people share: it merges nobody.
    max_addresses
        So is an identifier that came with more identifiers of another kind than this.
    placeholders
        What people type who have no address, phone or number; with an @ at its end the part before the @ of
        an address.
    """

    phone_region: str | None = None
    max_names: int = Field(default=5, ge=1)
    max_addresses: int = Field(default=10, ge=1)
    placeholders: tuple[str, ...] = (
        "-",
        "0",
        "0123456789",
        "123456789",
        "1234567890",
        "anonymous",
        "guest",
        "n/a",
        "na",
        "no-reply@",
        "nobody@",
        "noemail@",
        "none",
        "none@",
        "noreply@",
        "null",
        "unknown",
    )

    @field_validator("phone_region")
    @classmethod
    def _is_a_country(cls, value: str | None) -> str | None:
        from phonenumbers import SUPPORTED_REGIONS

        if value is not None and value not in SUPPORTED_REGIONS:
            raise ValueError(f"{value!r} is not the two-letter code of a country, such as GB")
        return value

    @field_validator("placeholders")
    @classmethod
    def _are_compared_in_lower_case(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(entry.strip().lower() for entry in value)


class Consent(Settings):
    """What a missing consent record means; 'deny' unless the shop has another legal basis."""

    when_not_delivered: Literal["deny", "allow"] = "deny"
