"""What all settings share, and checks that several sections make. The sections stand beside this file."""

from zoneinfo import available_timezones

import polars as pl
from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Base of all settings: unknown keys are faults, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def checked_pattern(value: str) -> str:
    """Try a regular expression on the engine that will run it, which has no look-around."""
    try:
        pl.Series([""]).str.contains(value, strict=True)
    except pl.exceptions.ComputeError as error:
        raise ValueError(
            f"{value!r} is not a regular expression: {str(error).splitlines()[-1].strip()}"
        ) from error
    return value


def check_timezone(value: str) -> str:
    """Refuse what is not the name of a timezone."""
    if value not in available_timezones() - {"Factory", "localtime"}:
        raise ValueError(f"{value!r} is not a timezone name such as Europe/London")
    return value


def check_locale(value: str) -> str:
    """Refuse what is not the name of a locale."""
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(value)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"{value!r} is not a locale such as en_GB or de_DE") from error
    return value
