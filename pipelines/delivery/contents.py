"""What a list's files are made of, read from stored rows only: the same rows give the same files at any time.

Nothing is refitted or drawn again here, so a list can be rebuilt from its snapshot byte for byte.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import polars as pl

from pipelines.delivery.files import READING_COLUMNS, Contents
from pipelines.delivery.gate import STEPS, external_ids
from pipelines.shop import Shop

STEP_WORDS = {
    "suppressed": "objected, unsubscribed, bounced or erased",
    "not_eligible": "do not meet the rule, or lie beyond the limit",
    "no_consent": "no consent for this channel",
    "open_case": "an open return, ticket or order",
    "capped": "written to often enough lately",
    "held_out": "held out by lot, to measure what the campaign changes",
    "undeliverable": "no address for this channel",
}


def contents_of(
    campaign: Mapping[str, Any],
    *,
    members: pl.LazyFrame,
    profile: pl.LazyFrame,
    contacts: pl.LazyFrame,
    shop: Shop,
    without: pl.Series | None = None,
) -> Contents:
    """Gather a list's rows and notes.

    Parameters
    ----------
    campaign
        The list's row of ``campaign_lists``.
    members, profile, contacts
        The tables of those names, as of the list's day.
    without
        Customers to leave out since the list was made.
    """
    as_of = campaign["as_of"]
    assert isinstance(as_of, date)
    shown = [name for name in READING_COLUMNS if name not in ("external_id", "reason")]
    delivered = (
        members.filter((pl.col("list_id") == campaign["list_id"]) & (pl.col("assignment") == "deliver"))
        .select("customer_key", "position", "reason")
        .join(profile.select("customer_key", *shown), on="customer_key", how="left")
        .sort("position")
        .collect()
    )
    if without is not None:
        delivered = delivered.filter(~pl.col("customer_key").is_in(without.implode()))
    return Contents(
        list_id=str(campaign["list_id"]),
        title=str(campaign["title"]),
        currency=shop.currency,
        people=delivered.join(
            external_ids(contacts.collect()), on="customer_key", how="left", maintain_order="left"
        ),
        notes=notes(campaign, shop),
        as_of=datetime.combine(as_of, time()),
    )


def notes(campaign: Mapping[str, Any], shop: Shop) -> list[tuple[str, str]]:
    """What a reader of the list should know, as terms and meanings."""
    lift = campaign["detectable_lift"]
    base = campaign["base_rate"]
    return [
        ("List", f"{campaign['title']} ({campaign['list_id']})"),
        ("This file", "is for reading. To upload, take the external-id file."),
        ("Purpose", str(campaign["purpose"])),
        ("Rule", str(campaign["rule"])),
        ("Computed for", f"{campaign['as_of']}, the last day included"),
        ("Money", f"in {shop.currency}, net of returns, without tax and shipping"),
        ("Consent", str(campaign["consent_basis"])),
        ("Customers of the shop", f"{campaign['everyone']:,}"),
        *((step.replace("_", " ").capitalize(), f"{campaign[step]:,}: {STEP_WORDS[step]}") for step in STEPS),
        ("In the file", f"{campaign['deliverable']:,}"),
        (
            "What can be measured",
            "nothing: no base rate, or nobody is held out"
            if lift is None
            else f"a rise of at least {100 * lift:.1f} points over {100 * base:.1f} % ordering within 90 days "
            f"({campaign['base_rate_source']}; 80 % power, 5 % two-sided)",
        ),
        (
            "Handed out until",
            "does not expire: a sample shop" if shop.sample else f"{campaign['expires_at']} UTC",
        ),
    ]
