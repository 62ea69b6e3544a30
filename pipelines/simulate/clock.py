"""The simulated shop's time: wall-clock days since its first day, its seasons, and how times are written.

Time in the model is a float: days of the shop's wall clock since midnight of the first day. Seasons stretch and squeeze
a uniform time ("pace"): what happens at a constant rate in pace happens more often in December, at weekends and in the
evening. The real clock is not read.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.parameters import FUTURE_DAYS

Floats = NDArray[np.float64]

TIMEZONE = "Europe/Berlin"
LAST_DAY = date(2024, 12, 31)
"""The same for every length: so that no length reaches beyond the day on which somebody tries it out."""
EPOCH = date(1970, 1, 1)
DAY_US = 86_400_000_000
DELIVERY_DAYS = 183
MOST_DELIVERIES = 8
WEEK = np.array([1.05, 0.98, 0.97, 0.98, 1.00, 0.92, 1.10])
"""Monday to Sunday."""
HOURS = np.array(
    [3, 2, 1, 1, 1, 2, 5, 9, 13, 16, 18, 18, 18, 17, 17, 18, 19, 21, 24, 27, 28, 24, 15, 8], np.float64
)
_SPARE_DAYS = 3
AFTERMATH_DAYS = 400
"""How long the last orders may still be heard of; what comes later is told as the last of these days."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Days, seasons and deliveries of one simulated shop.

    Attributes
    ----------
    days
        Length of the history.
    edges
        Ends of the deliveries, in days; the last is the end of the history.
    """

    first_day: date
    days: int
    edges: tuple[float, ...]
    _nodes: Floats
    _pace: Floats
    _gaps: tuple[float, ...]
    _texts: tuple[pl.Series, pl.Series]

    @classmethod
    def of(cls, days: int) -> Self:
        """Make the clock of a history of ``days`` days that ends on `LAST_DAY`."""
        first_day = LAST_DAY - timedelta(days=days - 1)
        every = np.arange(days + FUTURE_DAYS + _SPARE_DAYS)
        hours = np.concatenate([np.arange(24) / 24 + day for day in every])
        intensity = np.repeat(_of_days(first_day, every), 24) * np.tile(HOURS / HOURS.mean(), len(every))
        pace = np.concatenate([[0.0], np.cumsum(intensity / 24)])
        nodes = np.concatenate([hours, [float(len(every))]])
        count = min(MOST_DELIVERIES, max(1, round(days / DELIVERY_DAYS)))
        edges = tuple(float(round(days * (number + 1) / count)) for number in range(count))
        texts = _day_texts(first_day, len(every) + AFTERMATH_DAYS), _second_texts()
        return cls(first_day, days, edges, nodes, pace, _skipped(first_day, len(every)), texts)

    @property
    def end(self) -> float:
        """The moment at which the history ends: midnight after the last day."""
        return float(self.days)

    @property
    def horizon(self) -> float:
        """The moment up to which the future is known."""
        return float(self.days + FUTURE_DAYS)

    def to_pace(self, at: Floats) -> Floats:
        """Turn days into pace."""
        return np.interp(at, self._nodes, self._pace)

    def from_pace(self, pace: Floats) -> Floats:
        """Turn pace into days that exist on the wall clock; what lies beyond the horizon is infinite."""
        at = np.interp(pace, self._pace, self._nodes, right=np.inf)
        for gap in self._gaps:
            at = np.where((at >= gap) & (at < gap + 1 / 24), at + 1 / 24, at)
        return at

    def day(self, at: float) -> date:
        """Say which day a moment falls on."""
        return self.first_day + timedelta(days=int(np.floor(at)))

    def december(self, at: Floats) -> Floats:
        """Say with 1 and 0 which moments fall into December."""
        day = np.datetime64(self.first_day) + np.floor(at).astype("timedelta64[D]")
        return (day.astype("datetime64[M]").astype(np.int64) % 12 == 11).astype(np.float64)

    def texts(self, at: Floats) -> pl.Series:
        """Write moments as shops export them: ``2024-03-01 18:20:05``, local; null for what is not finite."""
        known = np.isfinite(at)
        day, second = np.divmod(_seconds(at, known), 86_400)
        # Two texts looked up and put together take half the time of one that is formatted.
        days, seconds = self._texts
        texts = pl.concat_str(days.gather(np.clip(day, 0, days.len() - 1)), seconds.gather(second))
        return pl.select(texts if known.all() else pl.when(pl.Series(known)).then(texts)).to_series()

    def moments(self, at: Floats) -> pl.Series:
        """Give moments of the wall clock, to the second; null for what is not finite."""
        return _moments(at, self.first_day)

    def days_of(self, at: Floats) -> pl.Series:
        """Write the calendar days of moments; null for what is not finite."""
        return _moments(at, self.first_day).dt.date()


def _moments(at: Floats, first_day: date) -> pl.Series:
    known = np.isfinite(at)
    seconds = _seconds(at, known)
    since = (first_day - EPOCH).days * DAY_US
    moments = pl.Series(seconds * 1_000_000 + since).cast(pl.Datetime("us"))
    return moments if known.all() else pl.select(pl.when(pl.Series(known)).then(moments)).to_series()


def _seconds(at: Floats, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Whole seconds since the first midnight; 0 for what is not finite."""
    return np.floor(np.where(known, at, 0.0) * 86_400).astype(np.int64)


def _day_texts(first_day: date, days: int) -> pl.Series:
    return pl.date_range(first_day, first_day + timedelta(days=days - 1), eager=True).cast(pl.String) + " "


def _second_texts() -> pl.Series:
    return pl.Series(np.arange(86_400) * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%H:%M:%S")


def _of_days(first_day: date, every: NDArray[np.int64]) -> Floats:
    """Relative intensity of each day: a yearly wave, a rush before Christmas, the days of the week."""
    dates = np.datetime64(first_day) + every
    year = dates.astype("datetime64[Y]")
    of_year = (dates - year.astype("datetime64[D]")).astype(np.int64)
    wave = 1 + 0.10 * np.cos(2 * np.pi * (of_year - 330) / 365.25)
    rush = 0.5 * np.exp(-(((of_year - 338) / 12.0) ** 2))
    weekday = (dates.astype(np.int64) + 3) % 7
    return (wave + rush) * WEEK[weekday]


def _skipped(first_day: date, days: int) -> tuple[float, ...]:
    """Moments at which the wall clock skips an hour."""
    zone = ZoneInfo(TIMEZONE)
    found: list[float] = []
    for number in range(days):
        two = datetime.combine(first_day + timedelta(days=number), datetime.min.time(), zone) + timedelta(
            hours=2
        )
        before, after = two.replace(hour=1).utcoffset(), two.replace(hour=3).utcoffset()
        if before is not None and after is not None and after > before:
            found.append(number + 2 / 24)
    return tuple(found)
