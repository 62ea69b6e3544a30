"""Origins: the days that a back-test puts the shop back to, one horizon apart, newest first.

One split tells how models do in one season. Horizons that follow each other without overlapping tell more, and where
they cover a whole year, what a season adds to one origin it takes from another (rolling-origin evaluation: Tashman
2000, International Journal of Forecasting 16, 437-450).

What does not belong here: the cuts that trees are trained on (`models.training_rows`), which end where an origin lies.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

__all__ = ["LONGEST_DEFAULT_HORIZON", "default_horizon", "origins"]

LONGEST_DEFAULT_HORIZON: Final = 365
MOST_ORIGINS: Final = 3


def default_horizon(first_day: date, as_of: date) -> int:
    """A quarter of the history, at most 365 days.

    So before the newest origin lies a window of the same length for the baselines, and as much again to know customers
    by; and the one before it has these as well.
    """
    return min(LONGEST_DEFAULT_HORIZON, (as_of - first_day).days // 4)


def origins(first_day: date, as_of: date, horizon_days: int, *, most: int = MOST_ORIGINS) -> tuple[date, ...]:
    """Days to put the shop back to, newest first; the newest lies one horizon before `as_of`.

    Parameters
    ----------
    first_day
        Of the first valid order.
    most
        How many at most. Earlier ones need two horizons of history before them, the newest only some.

    Raises
    ------
    ValueError
        The horizon is not positive or leaves no history before the newest origin.
    """
    history_days = (as_of - first_day).days
    if not 1 <= horizon_days < history_days:
        raise ValueError(
            f"A horizon of {horizon_days} days cannot be tested on a history of {history_days} days: "
            "it must be at least 1 and leave some history before the cut."
        )
    cuts = [as_of - timedelta(horizon_days * back) for back in range(1, most + 1)]
    return tuple(
        cut for back, cut in enumerate(cuts) if back == 0 or (cut - first_day).days >= 2 * horizon_days
    )
