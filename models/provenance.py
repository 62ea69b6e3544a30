"""Provenance: on what data a stored model was fitted, written into its JSON, and asked for before it scores.

A model that was fitted on order days under one contract means something else under another, and nothing in its
parameters would tell.

What does not belong here: what a model stores of itself (each says so), when it is fitted again (`models.refit`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date

from models.errors import MismatchedModelError, UnreadableModelError

__all__ = ["Provenance", "checked", "stamped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a model was fitted on.

    Attributes
    ----------
    fitted_as_of
        Last day that it knew.
    data_fingerprint
        Of the rows it was fitted on.
    contract_version
        Of the table they came from: its columns, types and grain.
    time_unit
        Unit of recency, T and horizon.
    """

    fitted_as_of: date
    data_fingerprint: str
    contract_version: str
    time_unit: str = "days"


def stamped(model: str, provenance: Provenance) -> str:
    """Write provenance into a model's JSON text."""
    content = json.loads(model)
    facts = asdict(provenance) | {"fitted_as_of": provenance.fitted_as_of.isoformat()}
    return json.dumps(content | {"provenance": facts}, indent=1)


def checked(text: str, *, as_of: date, contract_version: str, time_unit: str = "days") -> str:
    """Give a stored model's JSON text back if it may score what it is to score.

    Parameters
    ----------
    text
        From `stamped`.
    as_of
        Last day of what is to be scored.
    contract_version, time_unit
        Of what is to be scored.

    Raises
    ------
    UnreadableModelError
        Not JSON, or without provenance.
    MismatchedModelError
        It was fitted on another kind of data, or knows days after `as_of`.
    """
    try:
        told = json.loads(text)["provenance"]
        fitted_as_of = date.fromisoformat(told["fitted_as_of"])
        found = {"contract version": told["contract_version"], "time unit": told["time_unit"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableModelError(
            "This stored model does not say what it was fitted on; fit it again (`retention run --refit`)."
        ) from error
    wanted = {"contract version": contract_version, "time unit": time_unit}
    wrong = [
        f"{what} {found[what]!r}, not {wanted[what]!r}" for what in wanted if found[what] != wanted[what]
    ]
    if fitted_as_of > as_of:
        wrong.append(f"data up to {fitted_as_of}, which lies after {as_of}")
    if wrong:
        raise MismatchedModelError(
            f"This stored model was fitted on {'; '.join(wrong)}. Fit it again (`retention run --refit`)."
        )
    return text
