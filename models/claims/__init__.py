"""The claim checker: what everybody repeats about customers after the checkout, tested on a shop's own data.

Articles on this phase quote the same figures again and again, without period or denominator. Each module here tests
one of them under a definition that is said with the result, gives the shop's number with its interval, and says so
where nobody can tell or a table is missing. `CLAIMS` are the claims in their own words.

What does not belong here: pictures and pages (`pipelines.report`), reading tables.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from data_contracts import table
from models.claims import (
    acquisition_cost,
    average_retention,
    bad_experience,
    loyalty_programme,
    market_surveys,
    message_opens,
    notifications,
    referred,
    retained_profit,
    returning_spend,
    ten_of_ten,
    three_purchases,
    tracking_views,
)
from models.claims._finding import Claimed, Facts, Finding, Sense, Status, Unit, status_of
from models.claims._texts import CLAIMS, Claim

__all__ = [
    "CLAIMS",
    "Claim",
    "Claimed",
    "Facts",
    "Finding",
    "Sense",
    "Status",
    "Unit",
    "check_claims",
    "status_of",
]

_TESTS: Final = (
    retained_profit.findings,
    returning_spend.findings,
    average_retention.findings,
    three_purchases.findings,
    bad_experience.findings,
    ten_of_ten.findings,
    referred.findings,
    loyalty_programme.findings,
    notifications.findings,
    tracking_views.findings,
    message_opens.findings,
    acquisition_cost.findings,
    market_surveys.findings,
)


def check_claims(facts: Facts, as_of: date) -> pl.DataFrame:
    """Test every claim on a shop's data.

    Parameters
    ----------
    facts
        The shop's tables (`pipelines.lab.Lab.claim_facts` gives them) and inputs that no table has.
    as_of
        Last day included; later rows change nothing.

    Returns
    -------
    DataFrame
        One row per claim and part, in the order of `CLAIMS`: the columns of the table `claims`.
    """
    texts = {claim.number: claim for claim in CLAIMS}
    found = [finding for test in _TESTS for finding in test(facts, as_of)]
    rows = [
        _row(finding, texts[finding.claim], as_of) for finding in sorted(found, key=lambda one: one.claim)
    ]
    return pl.DataFrame(rows, schema=table("claims").schema)


def _row(finding: Finding, claim: Claim, as_of: date) -> dict[str, object]:
    claimed = finding.claimed
    return {
        "as_of": as_of,
        "tested_as_of": as_of,
        "claim": finding.claim,
        "part": finding.part,
        "claimed_by": claim.source or None,
        "claim_says": claim.says,
        "status": finding.status.value,
        "claimed_low": claimed.low if claimed else None,
        "claimed_high": claimed.high if claimed else None,
        "sense": claimed.sense.value if claimed else None,
        "unit": claimed.unit.value if claimed else None,
        "number": finding.number,
        "low": finding.low,
        "high": finding.high,
        "n": finding.n,
        "n_of": finding.n_of or None,
        "needs": ", ".join(finding.needs) or None,
        "definition": finding.definition,
        "says": finding.says,
    }
