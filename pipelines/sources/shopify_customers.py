"""Shopify's customers export: one record a customer, as the shop knew them on the day of the export.

It says who accepts marketing and not since when. A consent without a time counts as a refusal
(`pipelines.ingest.people`): a shop that trusts the export gives the day of it in shop.toml
(``values.recorded_at = "2026-05-01"``), and from then on a yes is a yes.

Newer exports begin with the customer's number and spell the address "Default Address ...".
https://help.shopify.com/en/manual/customers/import-export-customers
"""

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import cell
from pipelines.sources.reader import FAULT, Format

CHANNEL, ACCEPTS, DECIDED_AT = "channel", "accepts marketing", "decided at"


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Give ``consents`` a row for each channel that the export speaks of; other tables have a row a record."""
    if table != "consents":
        return records
    have = records.collect_schema().names()
    answers = {"email": ("Accepts Email Marketing", "Accepts Marketing"), "sms": ("Accepts SMS Marketing",)}
    channels = [name for name, columns in answers.items() if {*columns} & {*have}] or ["email"]
    answer = pl.lit(None, pl.String)
    for channel in channels:
        answer = pl.when(pl.col(CHANNEL) == channel).then(cell(have, *answers[channel])).otherwise(answer)
    # A record that is not whole speaks of no channel.
    spoken_of = pl.when(pl.col(FAULT).is_null()).then(pl.concat_list(pl.lit(name) for name in channels))
    return (
        records.with_columns(spoken_of.alias(CHANNEL))
        .explode(CHANNEL)
        .with_columns(answer.alias(ACCEPTS), pl.lit(None, pl.String).alias(DECIDED_AT))
    )


PERSON = {"customer_id": ("Customer ID",), "email": ("Email",), "phone": ("Phone", "Default Address Phone")}
NAMES = """Customer ID|First Name|Last Name|Email|Accepts Email Marketing|Accepts Marketing|Company|Address1|Address2|\
City|Province|Province Code|Country|Country Code|Zip|Default Address Company|Default Address Address1|\
Default Address Address2|Default Address City|Default Address Province Code|Default Address Country Code|\
Default Address Zip|Default Address Phone|Phone|Accepts SMS Marketing|Total Spent|Total Orders|Tags|Note|Tax Exempt"""

FORMAT = Format(
    "shopify_customers",
    "a Shopify customers export",
    CsvReader(),
    columns={
        "customers": {
            **PERSON,
            "first_name": ("First Name",),
            "last_name": ("Last Name",),
            "country": ("Country Code", "Default Address Country Code", "Country"),
            "city": ("City", "Default Address City"),
            "zip": ("Zip", "Default Address Zip"),
            "tags": ("Tags",),
        },
        "consents": {
            **PERSON,
            "channel": (CHANNEL,),
            "is_granted": (ACCEPTS,),
            "recorded_at": (DECIDED_AT,),
        },
    },
    shape=shape,
    adds=(CHANNEL, ACCEPTS, DECIDED_AT),
    header=frozenset(NAMES.split("|")),
    signature=frozenset({"First Name", "Last Name", "Email", "Accepts Email Marketing", "Tags"}),
    suffixes=(".csv", ".csv.gz"),
)
