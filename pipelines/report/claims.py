"""The report's section of claims: every claim, its result in words, and how it was tested.

What is claimed and how it is tested stands in `models.claims`; the picture in `pipelines.report.figures.claims`.
"""

from typing import Any

import polars as pl

from pipelines.report.figures.claims import claimed, found
from pipelines.report.words import number

__all__ = ["claims_section"]


def claims_section(claims: pl.LazyFrame) -> list[dict[str, Any]]:
    """One entry per claim, in their order.

    Returns
    -------
    list of dict
        number, says (the claim), source, statuses (of its parts, each once), parts: dicts of part, status, says,
        definition, claimed, found, n. Empty where claims were not tested.
    """
    rows = claims.sort("claim", maintain_order=True).collect().to_dicts()
    entries: dict[int, dict[str, Any]] = {}
    for row in rows:
        entry = entries.setdefault(
            row["claim"],
            {
                "number": row["claim"],
                "says": row["claim_says"],
                "source": row["claimed_by"],
                "statuses": [],
                "parts": [],
            },
        )
        if row["status"] not in entry["statuses"]:
            entry["statuses"].append(row["status"])
        entry["parts"].append(
            {
                "part": row["part"],
                "status": row["status"],
                "says": row["says"],
                "definition": row["definition"],
                "claimed": claimed(row),
                "found": found(row),
                "n": f"{number(row['n'])} {row['n_of'] or ''}".strip() if row["n"] is not None else "",
            }
        )
    return list(entries.values())
