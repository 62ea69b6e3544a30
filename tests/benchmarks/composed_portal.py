"""A composed shop with one list of a million people and one of fifty thousand, as a run would have left it.

Nothing is computed: tables and files are written as the steps write them. Every person is made up.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from data_contracts import table
from pipelines.delivery.contents import contents_of
from pipelines.delivery.files import PLATFORMS, build_all
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.small_shops import write_shop

AS_OF = date(2024, 5, 31)
NIGHT = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
SIZES = {"million": 1_000_000, "fifty_thousand": 50_000}
LISTS = "".join(
    f"""
[[lists]]
name = "{name}"
title = "{name.replace("_", " ").capitalize()}"
purpose = "loyalty"
where = "valid_orders >= 1"
reason = "placed {{valid_orders}} orders"
hold_out = 0.0
"""
    for name in SIZES
)


def composed_portal(folder: Path) -> tuple[Shop, Lake]:
    """Write the shop and its lake under a folder."""
    shop = write_shop(
        folder / "shop",
        settings='name = "large"\ntitle = "Large"\nsample = true\ncurrency = "GBP"\n'
        'history_start = 2024-01-01\n[consent]\nwhen_not_delivered = "allow"\n',
        more=LISTS,
    )
    lake = Lake.make(folder / "lake", shop.name)
    people = pl.LazyFrame({"number": pl.int_range(max(SIZES.values()), eager=True)}).select(
        pl.format(
            "{}{}", pl.col("number").hash(7).cast(pl.String).str.pad_start(20, "0"), pl.col("number")
        ).alias("customer_key"),
        "number",
    )
    made = {
        "customers": people.with_columns(
            pl.lit("United Kingdom").alias("country"), pl.lit(2).alias("valid_orders")
        ),
        "customer_profile": people.with_columns(
            pl.lit(AS_OF).alias("as_of"), pl.lit("active").alias("stage"), pl.lit(2).alias("valid_orders")
        ),
        "contacts": people.with_columns(
            pl.lit("email").alias("kind"), pl.format("person.{}@example.org", "number").alias("address")
        ),
        "orders": pl.concat(
            people.with_columns(
                pl.format("{}-{}", "number", pl.lit(nth)).alias("order_id"),
                pl.lit(True).alias("is_valid"),
                pl.lit(AS_OF - timedelta(days=10 * nth)).alias("order_day"),
            )
            for nth in (1, 2)
        ),
        "identity_map": people.with_columns(
            pl.lit("email").alias("identifier_kind"),
            pl.format("person.{}@example.org", "number").alias("identifier"),
            pl.col("customer_key").alias("own_key"),
        ),
        "list_members": pl.concat(
            people.filter(pl.col("number") < size).with_columns(
                pl.lit(AS_OF).alias("as_of"),
                pl.lit(f"{name}-{AS_OF}").alias("list_id"),
                pl.lit("deliver").alias("assignment"),
                (pl.col("number") + 1).alias("position"),
                pl.lit("placed 2 orders").alias("reason"),
            )
            for name, size in SIZES.items()
        ),
        "campaign_lists": pl.concat([_campaign(name, size) for name, size in SIZES.items()]),
        "suppressions": pl.LazyFrame(),
        "consents": pl.LazyFrame(),
    }
    for name, rows in made.items():
        write(lake, name, rows)
    write(lake, "list_files", _files(shop, lake))
    versions = lake.versions()
    snapshot = Snapshot("composed", "composed", AS_OF, NIGHT, versions, shop.settings_hash(), "composed")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint="composed")
    return shop, lake


def opt_out(lake: Lake, people: int) -> None:
    """Let the first people of both lists object, as a later delivery would; it writes what is looked at anew."""
    for name in ("orders", "customers", "consents", "identity_map"):
        write(lake, name, lake.scan(name).collect().lazy())
    keys = lake.scan("list_members").filter(pl.col("position") <= people).select("customer_key").unique()
    write(
        lake,
        "suppressions",
        keys.with_columns(pl.lit("objection").alias("kind"), pl.lit("all").alias("channel")),
    )


def write(lake: Lake, name: str, rows: pl.LazyFrame) -> None:
    """Write a table; columns that are not named are null."""
    schema = table(name).schema
    has = rows.collect_schema()
    blank = [pl.lit(None, dtype).alias(column) for column, dtype in schema.items() if column not in has]
    columns = [pl.col(column).cast(dtype) for column, dtype in schema.items() if column in has]
    filled = (
        rows.select(*columns).with_columns(*blank).select(list(schema))
        if columns
        else table(name).empty().lazy()
    )
    lake.replace(name, filled, fingerprint="composed")


def _campaign(name: str, size: int) -> pl.LazyFrame:
    stopped = dict.fromkeys(
        ("suppressed", "not_eligible", "no_consent", "open_case", "capped", "held_out", "undeliverable"), 0
    )
    return pl.LazyFrame(
        {
            "as_of": [AS_OF],
            "list_id": [f"{name}-{AS_OF}"],
            "name": [name],
            "title": [name.replace("_", " ").capitalize()],
            "purpose": ["loyalty"],
            "channel": ["email"],
            "rule": ["valid_orders >= 1"],
            "campaign": [f"{name}-2024Q2"],
            "window_days": [90],
            "null_means": ["out"],
            "everyone": [size],
            "null_decided": [0],
            "deliverable": [size],
            "consent_basis": ["allowed by the shop"],
            "hold_out_share": [0.0],
            "salt_id": ["composed"],
            "base_rate_source": ["unknown"],
        }
        | {step: [count] for step, count in stopped.items()}
    )


def _files(shop: Shop, lake: Lake) -> pl.LazyFrame:
    rows: list[dict[str, object]] = []
    for campaign in lake.scan("campaign_lists").collect().iter_rows(named=True):
        contents = contents_of(
            campaign,
            members=lake.scan("list_members"),
            profile=lake.scan("customer_profile"),
            contacts=lake.scan("contacts"),
            shop=shop,
        )
        folder = lake.root / "files" / str(campaign["list_id"])
        for name, built in build_all([PLATFORMS["klaviyo"]], contents, folder).items():
            rows.append(
                {
                    "as_of": AS_OF,
                    "list_id": campaign["list_id"],
                    "platform": name,
                    "file_name": str(built.path.relative_to(lake.root)),
                    "columns": ", ".join(built.columns),
                    "rows": built.rows,
                    "dropped": built.dropped,
                    "bytes": built.bytes,
                    "sha256": built.sha256,
                }
            )
    return pl.DataFrame(rows, schema=dict(table("list_files").schema)).lazy()
