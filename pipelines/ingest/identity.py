"""Who is who: from the identifiers that sources deliver to one keyed hash per customer.

The strongest identifier of a row names the customer: e-mail, then phone, then the source's own number. A
number that ever came with an e-mail belongs to that e-mail's customer. Names never merge anybody.
"""

import hmac

import polars as pl

KINDS = ("email", "phone", "source_id")
"""Identifier kinds, strongest first."""
EMAIL = r"^[^@\s]+@[^@\s]+$"
PHONE = r"^\+?\d{7,15}$"
ONE_DIGIT = r"^\+?(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$"
"""Placeholders such as "n/a" or "0000000000" would make one customer of everybody who bears them."""


def normalised(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns of `KINDS`: e-mail trimmed and lower-case, phone as digits, number with whose it is.

    What cannot be an address or a phone number is null and names nobody.
    """
    email = pl.col("email").str.strip_chars().str.to_lowercase()
    delivered_phone = pl.col("phone") if "phone" in rows.collect_schema() else pl.lit(None, pl.String)
    phone = delivered_phone.str.replace_all(r"[^0-9+]", "").str.replace("^00", "+")
    return rows.with_columns(
        pl.when(email.str.contains(EMAIL)).then(email).alias("email"),
        pl.when(phone.str.contains(PHONE) & ~phone.str.contains(ONE_DIGIT)).then(phone).alias("phone"),
        pl.concat_str("customer_numbers", pl.lit(":"), "customer_id").alias("source_id"),
    )


def identity_map(rows: pl.LazyFrame, key: bytes) -> pl.LazyFrame:
    """Which customer each identifier belongs to, in the shape of ``identity_map``.

    Parameters
    ----------
    rows
        Rows with customer_numbers, customer_id, email, optional phone, and ``seen_at``.
    key
        The shop's identity key; the same key gives the same customer keys for ever.
    """
    seen = (
        rows.pipe(normalised)
        .filter(pl.any_horizontal(pl.col(KINDS).is_not_null()))
        .group_by(KINDS)
        .agg(pl.col("seen_at").min())
        .collect(engine="streaming")  # a few rows a customer, read many times below
        .lazy()
    )
    # A number or phone that came without e-mail once and with one later belongs to the e-mail's customer,
    # also where a phone stands between the number and the e-mail.
    linked = seen.pipe(_lend_email, "source_id").pipe(_lend_email, "phone").pipe(_lend_email, "source_id")
    linked = linked.with_columns(
        pl.coalesce(KINDS).alias("_strongest"),
        pl.coalesce(pl.when(pl.col(kind).is_not_null()).then(pl.lit(kind)) for kind in KINDS).alias(
            "_strongest_kind"
        ),
    )
    return pl.concat(
        [
            linked.filter(pl.col(kind).is_not_null())
            .group_by(pl.col(kind).alias("identifier"))
            .agg(
                pl.col("_strongest", "_strongest_kind").sort_by("seen_at", "_strongest").first(),
                pl.col("seen_at").min().alias("first_seen_at"),
            )
            .select(
                pl.lit(kind).alias("identifier_kind"),
                "identifier",
                customer_key(pl.col("_strongest_kind"), pl.col("_strongest"), key).alias("customer_key"),
                pl.when(pl.col("_strongest_kind") == kind)
                .then(pl.lit("its own"))
                .otherwise(pl.concat_str(pl.lit("same rows as "), "_strongest_kind"))
                .alias("rule"),
                "first_seen_at",
            )
            for kind in KINDS
        ]
    ).sort("identifier_kind", "identifier")


def _lend_email(seen: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    """Lend rows without e-mail the first one that came with their number or phone."""
    lent = (
        seen.filter(pl.col(kind).is_not_null() & pl.col("email").is_not_null())
        .sort("seen_at", *KINDS, nulls_last=True)
        .unique(kind, keep="first", maintain_order=True)
        .select(kind, pl.col("email").alias("_email"))
    )
    return (
        seen.join(lent, on=kind, how="left")
        .with_columns(pl.coalesce("email", "_email").alias("email"))
        .drop("_email")
    )


def customer_key(kind: pl.Expr, identifier: pl.Expr, key: bytes) -> pl.Expr:
    """HMAC-SHA256 of kind and identifier, as 24 hexadecimal digits (96 bits)."""
    return pl.concat_str(kind, pl.lit(":"), identifier).map_elements(
        lambda text: hmac.digest(key, text.encode(), "sha256").hex()[:24], return_dtype=pl.String
    )


def with_customer_key(rows: pl.LazyFrame, identities: pl.LazyFrame) -> pl.LazyFrame:
    """Add ``customer_key`` by the strongest identifier of each row; null where it has none."""
    found = rows.pipe(normalised)
    for kind in KINDS:
        of_kind = identities.filter(pl.col("identifier_kind") == kind).select(
            pl.col("identifier").alias(kind), pl.col("customer_key").alias(f"_{kind}_key")
        )
        found = found.join(of_kind, on=kind, how="left", maintain_order="left")
    return found.with_columns(pl.coalesce(f"_{kind}_key" for kind in KINDS).alias("customer_key")).drop(
        [f"_{kind}_key" for kind in KINDS]
    )
