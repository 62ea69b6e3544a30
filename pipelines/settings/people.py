"""Who is one customer, and what a missing consent means."""

from typing import Literal

from pydantic import Field, field_validator

from pipelines.settings.base import Settings


class Identity(Settings):
    """Who is one customer.

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


Missing = Literal["deny", "allow"]


class ConsentRule(Settings):
    """What a missing consent record means in some countries or on some channels.

    Attributes
    ----------
    countries
        ISO 3166 codes of two letters; none stands for all. A customer whose country nobody told is taken to be in
        one of them where that is the stricter answer.
    channels
        Where it holds.
    when_not_delivered
        Whether somebody of whom no consent was delivered may be written to.
    """

    countries: tuple[str, ...] = ()
    channels: tuple[Literal["email", "sms", "ads"], ...] = ("email", "sms", "ads")
    when_not_delivered: Missing

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from phonenumbers import SUPPORTED_REGIONS

        if unknown := [code for code in value if code not in SUPPORTED_REGIONS]:
            raise ValueError(f"no country has the two-letter code {', '.join(unknown)}; write such as DE, GB")
        return value


class Consent(Settings):
    """What a missing consent record means; 'deny' unless the shop has another legal basis.

    Of several ``rules`` the first that fits a customer's country and the channel holds, before the general answer.

    Attributes
    ----------
    when_not_delivered
        Whether somebody of whom no consent was delivered may be written to.
    """

    when_not_delivered: Missing = "deny"
    rules: tuple[ConsentRule, ...] = ()

    def when_missing(self, channel: str, country: str | None) -> Missing:
        """Say what it means that nobody told whether a customer of a country (ISO code, None: unknown) agreed."""
        for rule in self.rules:
            fits = not rule.countries or country in rule.countries
            if channel in rule.channels and (fits or (country is None and rule.when_not_delivered == "deny")):
                return rule.when_not_delivered
        return self.when_not_delivered


class OpenCases(Settings):
    """How long a case may stay open before it is taken to be forgotten, in days; 0 looks for none.

    While a return, ticket or order of a customer is open, no list takes them in.

    Attributes
    ----------
    return_days
        A return, from the day the goods came back.
    ticket_days
        A ticket, from the day it was opened.
    order_days
        An order, from its day until its parcel has arrived.
    """

    return_days: int = Field(default=30, ge=0)
    ticket_days: int = Field(default=60, ge=0)
    order_days: int = Field(default=30, ge=0)
