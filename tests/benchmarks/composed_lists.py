"""A composed shop of many customers, ready for its lists: profile, permissions, addresses, messages, tickets; measured.

Run as a module in a process of its own: ``write FOLDER CUSTOMERS``, then ``lists FOLDER CUSTOMERS``, which prints
seconds by step and the peak of memory as JSON. Nobody in it exists.
"""

import json
import resource
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from data_contracts import table
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment
from pipelines.lake import Lake
from pipelines.shop import Shop

AS_OF = date(2024, 12, 31)
NOW = datetime(2025, 1, 1, 3, tzinfo=UTC)
STEPS = ("list_stops", "list_members", "campaign_lists", "list_overlaps")
SLICE = 1_000_000
SETTINGS = """
name = "composed_shop"
title = "Composed shop"
sample = true
public_salt = "a public salt of the composed shop"
currency = "EUR"
history_start = 2020-01-01
ready_lists = true
[[sources]]
name = "orders"
table = "orders"
format = "parquet"
path = "none.parquet"
[[sources]]
name = "tickets"
table = "tickets"
format = "parquet"
path = "none.parquet"
[[sources]]
name = "messages"
table = "messages"
format = "parquet"
path = "none.parquet"
"""


def write(folder: Path, customers: int) -> None:
    """Write the composed tables, a million customers at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(SETTINGS, encoding="utf-8")
    lake = Lake.make(folder / "lake", "composed_shop")
    drafts = folder / "drafts"
    for first in range(0, customers, SLICE):
        for name, frame in _some(first, min(SLICE, customers - first)).items():
            (drafts / name).mkdir(parents=True, exist_ok=True)
            frame.write_parquet(drafts / name / f"{first:012}.parquet")
    for name in ("customer_profile", "consents", "suppressions", "contacts", "orders", "messages", "tickets"):
        rows = pl.scan_parquet(drafts / name)
        missing = [
            pl.lit(None, kind).alias(column)
            for column, kind in table(name).schema.items()
            if column not in rows.collect_schema()
        ]
        lake.replace(
            name,
            rows.with_columns(missing),
            fingerprint="composed",
            as_of=AS_OF if name == "customer_profile" else None,
        )

    lake.replace("stage_cuts", table("stage_cuts").empty().lazy(), fingerprint="composed", day=AS_OF)


def _some(first: int, count: int) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(first)
    # Keys look like the real ones: 24 digits in no order.
    key = pl.Series(
        "customer_key", [number.tobytes().hex() for number in rng.integers(0, 256, (count, 12), np.uint8)]
    )
    silent = rng.integers(0, 900, count)
    orders = rng.geometric(0.45, count)
    spent = np.round(rng.gamma(2.0, 40.0, count) * orders, 2)
    stage = np.select(
        [silent <= 60, silent <= 180, silent <= 365],
        [np.where(orders > 1, "active", "new"), "at_risk", "lapsed"],
        "dormant",
    )
    nps = pl.Series(rng.integers(0, 11, count), dtype=pl.Int32)
    answered = pl.Series(rng.random(count) < 0.2)
    numbers = pl.Series(np.arange(first, first + count))
    at = pl.lit(datetime(2024, 6, 1, tzinfo=UTC))
    day = pl.lit(AS_OF) - pl.lit(pl.Series(silent)) * pl.duration(days=1)
    people = key.to_frame()
    profile = people.select(
        pl.lit(AS_OF).alias("as_of"),
        "customer_key",
        country=pl.lit("DE"),
        stage=pl.Series(stage),
        stage_since=pl.lit(date(2024, 9, 1)),
        previous_stage=pl.lit("active"),
        last_order_day=day,
        days_since_last_order=pl.Series(silent, dtype=pl.Int32),
        valid_orders=pl.Series(orders, dtype=pl.Int32),
        valid_orders_12m=pl.Series(np.minimum(orders, 4), dtype=pl.Int32),
        historic_clv=pl.Series(spent),
        m=pl.Series(np.digitize(spent, [80, 200]) + 1, dtype=pl.Int32),
        rfm_segment=pl.Series(np.where(spent > 200, "Champions", "Recent")),
        predicted_orders_365d=pl.Series(rng.gamma(1.0, 1.0, count)),
        predicted_clv_365d=pl.Series(rng.gamma(1.0, 50.0, count)),
        churn_probability_90d=pl.Series(rng.random(count)),
        last_nps=pl.when(answered).then(nps),
        last_product_name=pl.lit("a product"),
        next_product=pl.when(pl.Series(rng.random(count) < 0.1)).then(pl.lit("22423")),
        next_product_name=pl.lit("another product"),
    )
    agreed = people.filter(pl.Series(rng.random(count) < 0.7))
    gone = people.filter(pl.Series(rng.random(count) < 0.03))
    written = people.filter(pl.Series(rng.random(count) < 0.5))
    waiting = people.filter(pl.Series(rng.random(count) < 0.02))
    addresses = [
        people.select(
            "customer_key",
            pl.lit("email").alias("kind"),
            pl.format("person{}@example.org", numbers).alias("address"),
            at.alias("last_seen_at"),
        ),
        people.select(
            "customer_key",
            pl.lit("external_id").alias("kind"),
            numbers.cast(pl.String).alias("address"),
            at.alias("last_seen_at"),
        ),
    ]
    return {
        "customer_profile": profile,
        "consents": pl.concat(
            some.select("customer_key", channel=pl.lit(channel), is_granted=pl.lit(True), recorded_at=at)
            for channel, some in {"email": agreed, "ads": agreed.head(count // 4)}.items()
        ),
        "suppressions": gone.select(
            "customer_key", kind=pl.lit("unsubscribed"), channel=pl.lit("email"), recorded_at=at
        ),
        "contacts": pl.concat(addresses),
        "orders": people.select("customer_key", order_id=numbers.cast(pl.String), order_day=day, is_valid=pl.lit(True)),
        "messages": written.select(
            "customer_key",
            message_id=pl.concat_str(pl.lit(str(first)), pl.int_range(pl.len()).cast(pl.String), separator="-"),
            kind=pl.lit("marketing"),
            sent_day=pl.lit(date(2024, 12, 20)),
        ),
        "tickets": waiting.select("customer_key", is_open=pl.lit(True), opened_day=pl.lit(date(2024, 12, 20))),
    }  # fmt: skip


def lists(folder: Path) -> dict[str, object]:
    """Make all lists of the composed shop; seconds by step, people by list, peak memory in GB."""
    shop = Shop.open(folder)
    steps = steps_of(shop)
    given = Given(shop, Lake.open(folder / "lake"), Moment("bench", NOW, AS_OF), steps)
    seconds: dict[str, float] = {}
    for name in STEPS:
        started = time.perf_counter()
        carry_out(steps[name], given)
        seconds[name] = time.perf_counter() - started
    made = given.table("campaign_lists").select("name", "deliverable", "held_out").collect()
    return {
        "seconds": seconds,
        "lists": {name: [inside, out] for name, inside, out in made.iter_rows()},
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


if __name__ == "__main__":
    what, where, count = sys.argv[1:4]
    if what == "write":
        write(Path(where), int(count))
    else:
        sys.stdout.write(json.dumps(lists(Path(where))))
