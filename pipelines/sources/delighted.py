"""Delighted's survey responses, as its API gives them: JSON objects, one a line or in a list.

Addresses are in it where the responses were fetched with ``expand[]=person``. Delighted's number of a person is no
customer number of the shop; customer and order are known where the shop sent them along as properties. Kinds of surveys
that have no scale here (ces, thumbs ...) are left as they are, and the contract sets them aside.
https://delighted.com/docs/api/listing-survey-responses
"""

import polars as pl

from pipelines.sources.jsonl import JsonReader
from pipelines.sources.reader import Format

UNIX_SECONDS = r"^\s*[0-9]{9,10}\s*$"
"""From 1973 to 2286."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Write Unix seconds as ISO 8601; what is none stays as it is."""
    have = records.collect_schema().names()
    return records.with_columns(_in_iso(name) for name in ("created_at", "updated_at") if name in have)


def _in_iso(column: str) -> pl.Expr:
    value = pl.col(column)
    seconds = pl.when(value.str.contains(UNIX_SECONDS)).then(value.str.strip_chars())
    moment = pl.from_epoch(seconds.cast(pl.Int64, strict=False), time_unit="s")
    return pl.coalesce(moment.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00"), value).alias(column)


def _properties(*names: str) -> tuple[str, ...]:
    return tuple(f"person_properties.{name}" for name in names)


NAMES = """id,person,person.id,person.name,person.email,person.phone_number,person.created_at,person.last_sent_at,\
person.last_responded_at,person.next_survey_scheduled_at,survey_type,score,comment,permalink,created_at,updated_at,\
person_properties,notes,tags,additional_answers"""

FORMAT = Format(
    "delighted",
    "Delighted's survey responses",
    JsonReader(),
    columns={
        "survey_answers": {
            "survey_id": ("id",),
            "customer_id": _properties("customer_id", "Customer ID", "Customer Id", "customerId"),
            "email": ("person.email",),
            "phone": ("person.phone_number",),
            "order_id": _properties(
                "order_id", "Order ID", "Order Id", "orderId", "order_number", "Order Number"
            ),
            "kind": ("survey_type",),
            "score": ("score",),
            "comment": ("comment",),
            "answered_at": ("created_at",),
            "updated_at": ("updated_at",),
        },
    },
    shape=shape,
    header=frozenset(NAMES.split(",")),
    signature=frozenset({"id", "survey_type", "score", "permalink", "created_at"}),
    timezone="UTC",
    suffixes=(".jsonl", ".ndjson", ".json", ".jsonl.gz", ".json.gz"),
)
