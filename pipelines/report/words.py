"""How numbers, days and names are written for people: the same everywhere in charts and report."""

import re
from datetime import date

SPACE = "\u00a0"
"""Keeps a number and its unit on one line."""
MINUS = "\u2212"
UNKNOWN = "unknown"

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

CURRENCY_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}

MODEL_NAMES = {
    "global_mean": "Same for everybody",
    "last_12_months": "Last 12 months again",
    "rfm_cell_mean": "Mean of the RFM cell",
    "bg_nbd_gamma_gamma": "BG/NBD + Gamma-Gamma",
    "mbg_nbd_gamma_gamma": "MBG/NBD + Gamma-Gamma",
    "pareto_nbd_gamma_gamma": "Pareto/NBD + Gamma-Gamma",
    "mbg_nbd_less_returns": "MBG/NBD less returns",
    "mbg_nbd_season": "MBG/NBD at the season's level",
    "season_mean": "Mean of MBG/NBD and last 12 months at the season's level",
    "boosted_trees": "Boosted trees",
}

FEATURE_NAMES = {
    "T": "days since the first order",
    "frequency": "repeat order days",
    "recency": "days from first to last order",
    "days_since_last_order": "days since the last order",
}
_OF_A_MODEL = re.compile(r"mbg_(purchase_probability|expected_orders)_\d+d")

STAGE_NAMES = {
    "new": "new",
    "active": "active",
    "reactivated": "reactivated",
    "at_risk": "at risk",
    "lapsed": "lapsed",
    "dormant": "dormant",
    "prospect": "prospect",
    "newcomer": "not yet a customer",
}


def number(value: float | None) -> str:
    """Whole number with thousands: ``12,345``."""
    return UNKNOWN if value is None else f"{value:,.0f}".replace("-", MINUS)


def percent(share: float | None, digits: int = 1) -> str:
    """Share as per cent: ``23.4 %``.

    What is neither nothing nor everything is never rounded to it: ``under 0.1 %``, ``over 99.9 %``.
    """
    if share is None:
        return UNKNOWN
    step = 10.0**-digits
    if 0 < share * 100 < step / 2:
        return f"under {step:.{digits}f}{SPACE}%"
    if 100 - step / 2 < share * 100 < 100:
        return f"over {100 - step:.{digits}f}{SPACE}%"
    return f"{share * 100:.{digits}f}{SPACE}%".replace("-", MINUS)


def signed_percent(share: float | None, digits: int = 1) -> str:
    """Change as per cent with its sign: ``+2.3 %``."""
    return UNKNOWN if share is None else f"{share * 100:+.{digits}f}{SPACE}%".replace("-", MINUS)


def points(difference: float | None) -> str:
    """Difference of two rates in percentage points: ``2.8 points``."""
    return UNKNOWN if difference is None else f"{difference * 100:.1f}{SPACE}points".replace("-", MINUS)


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """Both ends of a rate's interval: ``21.0 to 25.9 %``; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{low * 100:.{digits}f} to {high * 100:.{digits}f}{SPACE}%".replace("-", MINUS)


def money(amount: float | None, currency: str) -> str:
    """Amount to the unit: ``£12,345``; millions with two digits: ``£17.23 million``."""
    if amount is None:
        return UNKNOWN
    sign = MINUS if amount < 0 else ""
    size, mark = abs(amount), CURRENCY_SIGNS.get(currency, f"{currency}{SPACE}")
    if size >= 1_000_000:
        return f"{sign}{mark}{size / 1_000_000:,.2f}{SPACE}million"
    return f"{sign}{mark}{size:,.0f}"


def exact_money(amount: float | None, currency: str) -> str:
    """Amount to the unit, however large: ``£17,231,445``."""
    if amount is None:
        return UNKNOWN
    sign = MINUS if round(amount) < 0 else ""
    return f"{sign}{CURRENCY_SIGNS.get(currency, f'{currency}{SPACE}')}{abs(amount):,.0f}"


def long_day(day: date) -> str:
    """Day in words: ``9 December 2011``."""
    return f"{day.day}{SPACE}{MONTHS[day.month - 1]} {day.year}"


def long_month(day: date) -> str:
    """Month in words: ``December 2011``."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def short_month(day: date) -> str:
    """Month as on an axis: ``Dec 2011``."""
    return f"{MONTHS[day.month - 1][:3]}{SPACE}{day.year}"


def model_name(model: str) -> str:
    """A model's name for people; one of the shop's own goes by its name in shop.toml."""
    return MODEL_NAMES.get(model) or f"{model[:1].upper()}{model[1:]}".replace("_", " ")


def purchase_model_name(model: str) -> str:
    """Name of a model's part that says how often, without the part that says how much."""
    return model_name(model).split(" + ")[0]


def feature_name(feature: str) -> str:
    """A feature's name for people: its own where it has no other."""
    if of_model := _OF_A_MODEL.fullmatch(feature):
        return "MBG/NBD: " + of_model[1].replace("purchase_probability", "chance of order").replace("_", " ")
    return FEATURE_NAMES.get(feature, feature.replace("_", " "))


def stage_name(stage: str) -> str:
    """A lifecycle stage's name for people."""
    return STAGE_NAMES.get(stage, stage.replace("_", " "))


def counted(count: int, one: str, many: str | None = None) -> str:
    """Count with its noun: ``1 row``, ``2 rows``."""
    return f"{number(count)}{SPACE}{one if count == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """Join parts as in a sentence: ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
