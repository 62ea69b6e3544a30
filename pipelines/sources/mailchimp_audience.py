"""Mailchimp's export of an audience: a file of subscribed, one of unsubscribed and one of cleaned members.

Nothing in the first file says that its members allowed anything, and members who never subscribed may be in it: it
brings contacts. It brings consents where shop.toml says what its members decided (``values.is_granted = "true"``). The
other two say it themselves, by UNSUB_TIME and CLEAN_TIME: they bring suppressions. "Cleaned" means that mail came back.

MEMBER_RATING and the place of the member's computer are Mailchimp's guesses and are not taken. Times have no offset:
where they are not of the shop's timezone, the source's ``timezone`` says so.
http://kb.mailchimp.com/lists/managing-subscribers/view-unsubscribed-and-cleaned-addresses
"""

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import cell
from pipelines.sources.reader import Format

KIND, PHONE = "kind of suppression", "phone number"
TIMES = {"UNSUB_TIME": ("UNSUB_TIME", "CLEAN_TIME"), "CONFIRM_TIME": ("CONFIRM_TIME", "OPTIN_TIME")}
"""Column -> the columns that fill it: members who came by import have one of them only."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Fill the times, and say why a member gets no mail any more."""
    have = records.collect_schema().names()
    bounced = pl.when(cell(have, "CLEAN_TIME").is_not_null()).then(pl.lit("bounced"))
    kind = pl.when(cell(have, "UNSUB_TIME").is_not_null()).then(pl.lit("unsubscribed")).otherwise(bounced)
    return records.with_columns(
        kind.alias(KIND),
        cell(have, "Phone Number", "Phone", "SMS Phone Number").alias(PHONE),
        *(cell(have, *from_).alias(name) for name, from_ in TIMES.items() if name in have),
    )


PERSON = {"email": ("Email Address",), "phone": (PHONE,)}
NAMES = """Email Address|First Name|Last Name|Address|Phone Number|Phone|SMS Phone Number|Birthday|MEMBER_RATING|\
OPTIN_TIME|OPTIN_IP|CONFIRM_TIME|CONFIRM_IP|LATITUDE|LONGITUDE|GMTOFF|DSTOFF|TIMEZONE|CC|REGION|UNSUB_TIME|\
UNSUB_CAMPAIGN_TITLE|UNSUB_CAMPAIGN_ID|UNSUB_REASON|UNSUB_REASON_OTHER|CLEAN_TIME|CLEAN_CAMPAIGN_TITLE|\
CLEAN_CAMPAIGN_ID|LAST_CHANGED|LEID|EUID|NOTES|TAGS|Tags"""

FORMAT = Format(
    "mailchimp_audience",
    "a Mailchimp export of an audience",
    CsvReader(),
    columns={
        "contacts": {
            **PERSON,
            "first_name": ("First Name",),
            "last_name": ("Last Name",),
            "created_at": ("CONFIRM_TIME", "OPTIN_TIME"),
            "updated_at": ("LAST_CHANGED",),
        },
        "consents": {**PERSON, "recorded_at": ("UNSUB_TIME", "CONFIRM_TIME", "OPTIN_TIME")},
        "suppressions": {**PERSON, "kind": (KIND,), "recorded_at": ("UNSUB_TIME", "CLEAN_TIME")},
    },
    values={"consents": {"channel": "email"}, "suppressions": {"channel": "email"}},
    shape=shape,
    adds=(KIND, PHONE),
    header=frozenset(NAMES.split("|")),
    signature=frozenset({"Email Address", "LEID", "EUID"}),
    suffixes=(".csv",),
)
