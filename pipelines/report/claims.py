"""The report's section of claims: every claim, its result in words, and how it was tested.

What is claimed and how it is tested stands in `models.claims`; the picture in `pipelines.report.figures.claims`.
"""

from typing import Any

import polars as pl

from pipelines.report.figures.claims import claimed, found
from pipelines.report.theme import PlainTable
from pipelines.report.words import number

__all__ = ["claims_section"]

UNTESTED = "cannot be tested"


def claims_section(claims: pl.LazyFrame) -> dict[str, Any]:
    """What was tested, claim by claim, and what was not.

    Returns
    -------
    dict
        tested: one entry per claim of which a part was tested, in their order: number, says (the claim), source, parts
        (dicts of part, status, says, definition, claimed, found, n). untested: a table of the claims of which a part
        was not, with the reason; None where there are none.
    """
    rows = claims.sort("claim", maintain_order=True).collect().to_dicts()
    tested: dict[int, dict[str, Any]] = {}
    untested: dict[str, list[str]] = {}
    for row in rows:
        if row["status"] == UNTESTED:
            reasons = untested.setdefault(f"{row['claim']}. {row['claim_says']}", [])
            reasons += [row["says"]] if row["says"] not in reasons else []
            continue
        about = {"number": row["claim"], "says": row["claim_says"], "source": row["claimed_by"], "parts": []}
        tested.setdefault(row["claim"], about)["parts"].append(_part(row))
    table = PlainTable(
        header=("Claim", "Why it, or a part of it, is not tested"),
        rows=tuple((claim, " ".join(reasons)) for claim, reasons in untested.items()),
    )
    return {"tested": list(tested.values()), "untested": table if untested else None}


def _part(row: dict[str, Any]) -> dict[str, str]:
    return {
        "part": row["part"],
        "status": row["status"],
        "says": row["says"],
        "definition": row["definition"],
        "claimed": claimed(row),
        "found": found(row),
        "n": f"{number(row['n'])} {row['n_of'] or ''}".strip() if row["n"] is not None else "",
    }
