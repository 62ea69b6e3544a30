"""How each country writes its phone numbers: the tables of phonenumbers, as patterns for whole columns.

Only what patterns can say without doubt is said here. A number that none of them takes is not refused by
that; it goes to the library (`phone_numbers`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata, PhoneNumberDesc

LINES = (
    "fixed_line",
    "mobile",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "toll_free",
    "premium_rate",
    "shared_cost",
)
"""Kinds of line that make a number valid, as phonenumbers counts them."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How numbers are dialled within one country.

    Attributes
    ----------
    calling_code
        Digits after the +.
    prefix
        What is dialled before a number within the country and is no part of it, such as 0; empty for none.
    prefix_pattern
        What the library may cut off a number's beginning: ``prefix``, in some countries more than that.
    international_prefix
        Pattern of what is dialled before a foreign country's code, such as 00.
    valid
        Pattern of the whole of a valid number, without prefix.
    lengths
        How many digits a number has, without prefix.
    """

    calling_code: str
    prefix: str
    prefix_pattern: str | None
    international_prefix: str | None
    valid: str
    lengths: tuple[int, ...]


@cache
def numbering_of(region: str) -> Numbering | None:
    """Look up a country by its ISO 3166 code; None for one that phonenumbers does not know."""
    plan = _plan(region)
    if plan is None:
        return None
    lines: list[PhoneNumberDesc | None] = [getattr(plan, line) for line in LINES]
    patterns = [line.national_number_pattern for line in lines if line and line.national_number_pattern]
    return Numbering(
        str(plan.country_code),
        plan.national_prefix or "",
        plan.national_prefix_for_parsing,
        plan.international_prefix,
        rf"^(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})$".replace(r"\d", "[0-9]"),
        _lengths(plan),
    )


@cache
def possible_worldwide() -> str:
    """Pattern of the numbers with country code that have a length used in that country."""
    return (
        r"^\+(?:"
        + "|".join(
            f"{code}(?:{'|'.join(f'[0-9]{{{length}}}' for length in _lengths(plan))})"
            for code, plan in _plans()
        )
        + ")$"
    )


@cache
def prefixed_worldwide() -> str:
    """Pattern of the beginnings from which the library may cut a prefix, as in +44 (0)20."""
    return (
        r"^\+(?:"
        + "|".join(
            f"{code}(?:{plan.national_prefix_for_parsing})"
            for code, plan in _plans()
            if plan.national_prefix_for_parsing
        )
        + ")"
    )


def _plans() -> Iterator[tuple[int, PhoneMetadata]]:
    """Give the plan behind each calling code; of countries that share one, the plan the library reads it by."""
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        if plan := _plan(regions[0]):
            yield code, plan


def _plan(region: str) -> PhoneMetadata | None:
    return PhoneMetadata.metadata_for_region(region, None) if region in SUPPORTED_REGIONS else None


def _lengths(plan: PhoneMetadata) -> tuple[int, ...]:
    general = plan.general_desc
    return tuple(general.possible_length) if general else ()
