"""A few people of a list whom nobody can recognise: first letters, what they are to the shop, and why they are chosen.

Addresses are read for nothing else than their first letters, and no more of them leaves this module.
"""

from datetime import date

import polars as pl

from pipelines.portal.facts import Someone
from pipelines.portal.newest import Newest

SHOWN = 8
"""People shown of a list."""


def masked_sample(newest: Newest, list_id: str, day: date, shown: int = SHOWN) -> tuple[Someone, ...]:
    """The first people of a list's file, in the list's own order."""
    chosen = (
        newest.scan("list_members")
        .filter(pl.col("as_of") == day, pl.col("list_id") == list_id, pl.col("assignment") == "deliver")
        .select("customer_key", "position", "reason")
        .bottom_k(shown, by="position")
        .collect()
    )
    keys = chosen["customer_key"].implode()
    profile = (
        newest.scan("customer_profile")
        .filter(pl.col("as_of") == day, pl.col("customer_key").is_in(keys))
        .select("customer_key", "stage", "predicted_clv_365d")
        .collect()
    )
    letters = (
        newest.scan("contacts")
        .filter(pl.col("customer_key").is_in(keys))
        .select(
            "customer_key",
            _initial("first_name").alias("first"),
            _initial("last_name").alias("last"),
            pl.when(pl.col("kind") == "external_id").then(pl.col("address").str.slice(0, 1)).alias("number"),
        )
        .group_by("customer_key")
        .agg(pl.col("first", "last", "number").drop_nulls().min())
        .collect()
    )
    told = chosen.join(profile, on="customer_key", how="left").join(letters, on="customer_key", how="left")
    return tuple(
        Someone(
            _masked(row["first"], row["last"], row["number"]),
            row["stage"],
            row["predicted_clv_365d"],
            row["reason"],
        )
        for row in told.sort("position").to_dicts()
    )


def _initial(column: str) -> pl.Expr:
    letter = pl.col(column).str.strip_chars().str.slice(0, 1).str.to_uppercase()
    return pl.when(letter.str.contains(r"^\p{L}$")).then(letter)


def _masked(first: str | None, last: str | None, number: str | None) -> str:
    if first or last:
        return " ".join(f"{letter}." for letter in (first, last) if letter)
    return f"No. {number}…" if number else "no name"
