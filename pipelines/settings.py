"""The sections of a shop's settings, each checked by itself; `pipelines.shop` puts them together.

A number or name that a shop could want to change stands here. What the settings do is said where they are
used.
"""

import codecs
from typing import Any, Literal
from zoneinfo import available_timezones

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_contracts import table_names


class Settings(BaseModel):
    """Base of all settings: unknown keys are faults, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(value: str) -> str:
    """Try a regular expression on the engine that will run it, which has no look-around."""
    try:
        pl.Series([""]).str.contains(value, strict=True)
    except pl.exceptions.ComputeError as error:
        raise ValueError(
            f"{value!r} is not a regular expression: {str(error).splitlines()[-1].strip()}"
        ) from error
    return value


class Layout(Settings):
    """How a file is written; what is not said is found out from each file.

    Attributes
    ----------
    encoding, separator
        Of text files: a Python codec name, one character.
    skip_rows
        Lines before the header; found out where not said.
    header_rows
        2 where a second row goes on with the names (a question above, its answers below).
    sheet
        Of workbooks; the first by default.
    dates
        How to read 03/04/2026.
    decimal
        What parts whole numbers from fractions.
    """

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    skip_rows: int | None = Field(default=None, ge=0)
    header_rows: Literal[1, 2] | None = None
    sheet: str | None = None
    dates: Literal["day first", "month first"] | None = None
    decimal: Literal[".", ","] | None = None

    @field_validator("encoding")
    @classmethod
    def _is_a_codec(cls, value: str | None) -> str | None:
        try:
            return value if value is None else codecs.lookup(value).name
        except LookupError as error:
            raise ValueError(f"{value!r} is not an encoding such as utf-8 or windows-1252") from error


class Database(Settings):
    """Where a source's rows stand in a database.

    Attributes
    ----------
    address_from
        Name of the environment variable that holds the address; addresses hold passwords.
    table, query
        One of them: a table or view, or one SELECT.
    updated_at
        A column that grows with every change: only what changed since the last time is fetched.
    overlap_hours
        How far before the last time to fetch again: a long transaction shows up late under an earlier time.
    """

    address_from: str
    table: str | None = None
    query: str | None = None
    updated_at: str | None = None
    overlap_hours: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _names_one(self) -> "Database":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self


class Source(Settings):
    """One stream of deliveries for one table.

    Attributes
    ----------
    name
        Short name, part of every delivery's id.
    table
        The delivered table, e.g. ``orders``.
    format
        A format of `pipelines.sources`.
    path
        File, folder or glob, relative to shop.toml.
    database
        In place of ``path`` for the format ``postgres``.
    columns
        Canonical column -> the file's column; goes before what the format knows by itself.
    values
        Canonical column -> the same text for every row.
    split_by
        A column of the file whose values, in the order they appear, are deliveries of their own.
    customer_numbers, order_numbers
        Whose numbers ``customer_id`` and ``order_id`` hold: the same number in two sources is the same
        customer or order only where both say the same here. Not said, a second source of orders has numbers
        of its own, and every other source those of the first (`Shop.numbers_of`).
    timezone
        Of times without an offset; the shop's by default.
    layout
        How the files are written.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: str
    format: str
    path: str | None = None
    database: Database | None = None
    columns: dict[str, str] = {}
    values: dict[str, str] = {}
    split_by: str | None = None
    customer_numbers: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    order_numbers: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    timezone: str | None = None
    layout: Layout = Layout()

    @field_validator("table")
    @classmethod
    def _is_delivered(cls, value: str) -> str:
        known = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]
        if value not in known:
            raise ValueError(f"there is no delivered table {value!r}; there are {', '.join(known)}")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str | None) -> str | None:
        return value if value is None else check_timezone(value)

    @model_validator(mode="after")
    def _lies_somewhere(self) -> "Source":
        if (self.path is None) == (self.database is None):
            raise ValueError(f"source {self.name}: give either path or database")
        if (self.format == "postgres") != (self.database is not None):
            raise ValueError(f"source {self.name}: format postgres and database go together")
        return self


def check_timezone(value: str) -> str:
    """Refuse what is not the name of a timezone."""
    if value not in available_timezones() - {"Factory", "localtime"}:
        raise ValueError(f"{value!r} is not a timezone name such as Europe/London")
    return value


LineKind = Literal["merchandise", "postage", "fee", "gift_card", "discount", "test", "other"]


class OrderRules(Settings):
    """Which delivered orders are orders, and what their lines sell.

    Statuses and tags are compared without regard to case, and to blanks, hyphens and underscores.

    Attributes
    ----------
    return_order_ids, adjustment_order_ids
        Regular expressions over order_id: goods or money going back, and bookkeeping.
    replacement_order_ids, replacement_tags
        A regular expression over order_id, and tags: orders sent in exchange for goods that came back, whatever
        value stands on them.
    cancelled_statuses, pending_statuses, test_statuses
        Statuses of orders that were called off, not placed yet, or placed to try the shop out.
    placed_statuses
        Statuses of orders that count. One that is in none of these lists counts as well, and is told.
    test_tags
        Tags of orders placed to try the shop out.
    kinds, kinds_by_name
        A regular expression over product_id, then over product_name, to the kind of line; the first match wins, a
        delivered kind goes before all, and what matches none is ``kind_when_unmatched``.
    repeated_lines
        What happens to a line that stands twice within its order.
    rate_holds_days
        For how many days an exchange rate holds after its own where no newer one came: longer than a month without
        news, and the orders wait in quarantine.
    """

    return_order_ids: str | None = None
    adjustment_order_ids: str | None = None
    replacement_order_ids: str | None = None
    replacement_tags: tuple[str, ...] = ()
    cancelled_statuses: tuple[str, ...] = (
        "cancelled",
        "canceled",
        "voided",
        "refused",
        "declined",
        "failed",
        "expired",
        "trash",
        "storniert",
        "abgebrochen",
        "abgelehnt",
        "annulé",
        "annulée",
        "geannuleerd",
        "cancelado",
        "cancelada",
        "annullato",
        "anulado",
    )
    pending_statuses: tuple[str, ...] = (
        "pending",
        "pending payment",
        "awaiting payment",
        "on hold",
        "unpaid",
        "incomplete",
        "draft",
        "auto draft",
        "checkout draft",
        "offen",
        "unbezahlt",
        "entwurf",
        "en attente",
        "openstaand",
        "pendiente",
        "in attesa",
    )
    placed_statuses: tuple[str, ...] = (
        "paid",
        "partially paid",
        "authorized",
        "placed",
        "processing",
        "fulfilled",
        "partially fulfilled",
        "unfulfilled",
        "shipped",
        "partially shipped",
        "delivered",
        "complete",
        "completed",
        "closed",
        "invoiced",
        "refunded",
        "partially refunded",
        "returned",
        "bezahlt",
        "versendet",
        "versandt",
        "geliefert",
        "abgeschlossen",
        "erledigt",
        "in bearbeitung",
        "payé",
        "payée",
        "expédié",
        "expédiée",
        "livré",
        "livrée",
        "betaald",
        "verzonden",
        "geleverd",
        "pagado",
        "enviado",
        "entregado",
        "pagato",
        "spedito",
        "consegnato",
    )
    test_statuses: tuple[str, ...] = ("test",)
    test_tags: tuple[str, ...] = ("test",)
    kinds: dict[str, LineKind] = {}
    kinds_by_name: dict[str, LineKind] = {}
    kind_when_unmatched: Literal["merchandise", "other"] = "merchandise"
    repeated_lines: Literal["keep", "drop"] = "keep"
    rate_holds_days: int = Field(default=31, ge=0)

    @field_validator("return_order_ids", "adjustment_order_ids", "replacement_order_ids")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        return value if value is None else _pattern(value)

    @field_validator("kinds", "kinds_by_name")
    @classmethod
    def _are_patterns(cls, value: dict[str, Any]) -> dict[str, Any]:
        for pattern in value:
            _pattern(pattern)
        return value


class ReturnRules(Settings):
    """How far back a return may look for its purchase."""

    match_window_days: int = Field(default=365, gt=0)


class Contracts(Settings):
    """When a delivery is broken rather than a row."""

    block_share: float = Field(default=0.2, gt=0, le=1)
    """A critical rule that fails on more than this share of a delivery's rows sets all of it aside."""


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


class SegmentList(Settings):
    """One list of people for a campaign.

    ``where`` is one boolean SQL expression over customer_profile; ``null_means`` says what a rule that comes
    out as null decides. ``order_by`` and ``limit`` cut the list to the best; the rest follows definitions.md,
    "Lists".
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    purpose: str
    channel: Literal["email", "sms", "ads"] = "email"
    where: str
    reason: str
    order_by: str = "customer_key"
    limit: int | None = Field(default=None, gt=0)
    hold_out: float = Field(default=0.1, ge=0, lt=1)
    expected_rate: float | None = Field(default=None, gt=0, lt=1)
    expires_after_hours: int = Field(default=72, gt=0)
    null_means: Literal["out", "in"] = "out"


class Predictions(Settings):
    """How the future is valued and how intervals are drawn."""

    annual_discount: float = Field(default=0.1, ge=0, lt=10)
    interval_draws: int = Field(default=200, ge=50)
    seed: int = 1
