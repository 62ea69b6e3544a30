"""Klaviyo's export of profiles: one record a person, with what the person allowed by e-mail.

Klaviyo's own number of a profile is no customer number of the shop, and is not taken for one. Consent is what the file
says and nothing more: SUBSCRIBED is yes, UNSUBSCRIBED and NEVER_SUBSCRIBED are no, a blank cell stays blank (the
contract counts it as a refusal). Text messages are a source of their own over the same files:
``columns.is_granted = "SMS Marketing Consent"``, ``values.channel = "sms"``.

Many exports have no time of the decision. It is then placed where it can do no harm: a yes, or a no that never was a
yes, at the beginning of the profile, so that any refusal from elsewhere is the later one; a withdrawal at no known
time, which counts as later than any yes. A suppression must have a time: without one it holds from that beginning on.
https://help.klaviyo.com/hc/en-us/articles/360043841811
"""

import polars as pl

from pipelines.sources.csv import CsvReader
from pipelines.sources.optional_cells import cell
from pipelines.sources.reader import FAULT, Format

CONSENT, DECIDED_AT = "Email Marketing Consent", "decided at"
WITHDRAWN = "unsubscribed"
ANSWERS = {"subscribed": "true", WITHDRAWN: "false", "never_subscribed": "false"}
"""Anything else stays as it is: true and false are read as such, and the contract tells the rest."""


def shape(records: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Say what was decided and when; ``suppressions`` are the people who withdrew."""
    have = records.collect_schema().names()
    match table:
        case "consents":
            return records.with_columns(
                _decided_at(have).alias(DECIDED_AT),
                *(_in_words(name) for name in have if name.endswith("Marketing Consent")),
            )
        case "suppressions":
            has_withdrawn = (_word(cell(have, CONSENT)) == WITHDRAWN).fill_null(False)
            begins = cell(have, f"{CONSENT} Timestamp", "Profile Created On", "Date Added")
            return records.filter(has_withdrawn | pl.col(FAULT).is_not_null()).with_columns(
                begins.alias(DECIDED_AT)
            )
        case _:
            return records


def _word(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase().str.replace_all("[ -]", "_")


def _in_words(column: str) -> pl.Expr:
    known = _word(pl.col(column)).replace_strict(ANSWERS, default=None, return_dtype=pl.String)
    return pl.coalesce(known, column).alias(column)


def _decided_at(have: list[str]) -> pl.Expr:
    has_withdrawn = (_word(cell(have, CONSENT)) == WITHDRAWN).fill_null(False)
    beginning = pl.when(~has_withdrawn).then(cell(have, "Profile Created On", "Date Added"))
    return pl.coalesce(cell(have, f"{CONSENT} Timestamp"), beginning)


PERSON = {"email": ("Email",), "phone": ("Phone Number",)}
NAMES = """Email|Klaviyo ID|External ID|First Name|Last Name|Phone Number|Organization|Title|Address|Address 2|City|\
State / Region|Country|Zip Code|Latitude|Longitude|IP Address|Source|Email Marketing Consent|\
Email Marketing Consent Timestamp|SMS Marketing Consent|Profile Created On|Date Added"""

FORMAT = Format(
    "klaviyo_profiles",
    "a Klaviyo export of profiles",
    CsvReader(),
    columns={
        "contacts": {
            **PERSON,
            "first_name": ("First Name",),
            "last_name": ("Last Name",),
            "country": ("Country",),
            "city": ("City",),
            "zip": ("Zip Code",),
            "created_at": ("Profile Created On", "Date Added"),
        },
        "consents": {**PERSON, "is_granted": (CONSENT,), "recorded_at": (DECIDED_AT,)},
        "suppressions": {**PERSON, "recorded_at": (DECIDED_AT,)},
    },
    values={
        "consents": {"channel": "email"},
        "suppressions": {"kind": "unsubscribed", "channel": "email"},
    },
    shape=shape,
    adds=(DECIDED_AT,),
    header=frozenset(NAMES.split("|")),
    signature=frozenset({"Email", "Klaviyo ID"}),
    suffixes=(".csv",),
)
