"""The sections of a shop's settings, each checked by itself; `pipelines.shop` puts them together.

A number or name that a shop could want to change stands here. What the settings do is said where they are
used.
"""

from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, field_validator

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


class Source(Settings):
    """One stream of delivered files for one table.

    Attributes
    ----------
    name
        Short name, part of every delivery's id.
    table
        The delivered table, e.g. ``orders``.
    format
        A reader of `pipelines.sources`.
    path
        File or glob, relative to shop.toml.
    columns
        Canonical column -> the file's column.
    split_by
        A column of the file whose values, in the order they appear, are deliveries of their own.
    customer_numbers
        Whose numbers ``customer_id`` holds: the same number in two sources is the same customer only where
        both say the same here.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: str
    format: str
    path: str
    columns: dict[str, str]
    split_by: str | None = None
    customer_numbers: str = "shop"

    @field_validator("table")
    @classmethod
    def _is_delivered(cls, value: str) -> str:
        known = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]
        if value not in known:
            raise ValueError(f"there is no delivered table {value!r}; there are {', '.join(known)}")
        return value


class OrderRules(Settings):
    """Which delivered orders are orders.

    ``return_order_ids`` and ``adjustment_order_ids`` are regular expressions over order_id; ``kinds`` maps a
    regular expression over product_id to the kind of line, the first match wins, and what matches none is
    ``kind_when_unmatched``. ``repeated_lines`` says what happens to a line that stands twice within its
    order.
    """

    return_order_ids: str | None = None
    adjustment_order_ids: str | None = None
    cancelled_statuses: tuple[str, ...] = ("cancelled", "canceled", "voided", "refused")
    pending_statuses: tuple[str, ...] = ("pending", "draft", "on-hold", "unpaid")
    kinds: dict[str, Literal["merchandise", "postage", "fee", "gift_card", "discount", "test", "other"]] = {}
    kind_when_unmatched: Literal["merchandise", "other"] = "merchandise"
    repeated_lines: Literal["keep", "drop"] = "keep"

    @field_validator("return_order_ids", "adjustment_order_ids")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        return value if value is None else _pattern(value)

    @field_validator("kinds")
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
