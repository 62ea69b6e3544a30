"""Days, money and numbers as people of the shop's country write them; the sentences around them are English.

Which locale a shop has is a setting; how a page is laid out belongs to the templates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup

from pipelines.shop import Shop

UNKNOWN = "not known"
SPACE = "\u00a0"
KILO = 1_000


@dataclass(frozen=True, slots=True)
class Written:
    """How one shop's people write."""

    locale: str
    currency: str
    timezone: Any

    @classmethod
    def of(cls, shop: Shop) -> "Written":
        """Take locale, currency and timezone from a shop's settings."""
        return cls(shop.locale, shop.currency, shop.zone)

    def number(self, value: float | None) -> str:
        """Whole number with the locale's thousands: ``12,345``."""
        return UNKNOWN if value is None else format_decimal(round(value), locale=self.locale)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """Share as per cent; what is neither nothing nor everything is never rounded to it."""
        if share is None:
            return UNKNOWN
        step = 10.0**-digits
        if 0 < share * 100 < step / 2:
            return f"under {self._decimal(step, digits)}{SPACE}%"
        if 100 - step / 2 < share * 100 < 100:
            return f"over {self._decimal(100 - step, digits)}{SPACE}%"
        return f"{self._decimal(share * 100, digits)}{SPACE}%"

    def points(self, difference: float | None, digits: int = 1) -> str:
        """Difference of two shares in points: ``2.8 points``."""
        return UNKNOWN if difference is None else f"{self._decimal(difference * 100, digits)}{SPACE}points"

    def decimal(self, value: float | None, digits: int = 1) -> str:
        """Number with so many digits after the point."""
        return UNKNOWN if value is None else self._decimal(value, digits)

    def money(self, amount: float | None, digits: int = 0) -> str:
        """Amount in the shop's currency; by default to the unit, for pence would look more exact than it is."""
        if amount is None:
            return UNKNOWN
        # Only the part after the point differs from the locale's own pattern.
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern
        shortened = pattern.replace(".00", f".{'0' * digits}" if digits else "")
        return format_currency(
            round(float(amount), digits),
            self.currency,
            locale=self.locale,
            currency_digits=False,
            format=shortened,
        )

    def day(self, day: date | None) -> Markup:
        """Day in words, marked as a time for machines."""
        if day is None:
            return Markup(UNKNOWN)
        return self._time(day.isoformat(), format_date(day, "long", locale=self.locale))

    def moment(self, moment: datetime | None) -> Markup:
        """Day and hour in the shop's timezone."""
        if moment is None:
            return Markup(UNKNOWN)
        local = moment.astimezone(self.timezone)
        words = f"{format_date(local, 'long', locale=self.locale)}, {self._hour(local)}"
        return self._time(local.isoformat(timespec="minutes"), words)

    def short_moment(self, moment: datetime | None) -> Markup:
        """Day and hour as briefly as the locale allows, for tables."""
        if moment is None:
            return Markup(UNKNOWN)
        local = moment.astimezone(self.timezone)
        words = f"{format_date(local, 'medium', locale=self.locale)}, {self._hour(local)}"
        return self._time(local.isoformat(timespec="minutes"), words)

    def size(self, size: int | None) -> str:
        """Size of a file: ``2 kB``."""
        if size is None:
            return UNKNOWN
        amount, unit = float(size), "bytes"
        for larger in ("kB", "MB", "GB"):
            if amount < KILO:
                break
            amount, unit = amount / KILO, larger
        digits = 1 if unit != "bytes" and amount < 10 else 0
        return f"{self._decimal(amount, digits)}{SPACE}{unit}"

    def counted(self, count: int, one: str, many: str | None = None) -> str:
        """Count with its noun: ``1 person``, ``2 people``."""
        return f"{self.number(count)}{SPACE}{one if count == 1 else many or one + 's'}"

    def people(self, count: int) -> str:
        """So many people."""
        return self.counted(count, "person", "people")

    def filters(self) -> dict[str, Callable[..., Any]]:
        """All of these by name, for templates."""
        numbers = (self.number, self.percent, self.points, self.decimal, self.money, self.size)
        others = (self.day, self.moment, self.short_moment, self.counted, self.people)
        return {write.__name__: write for write in (*numbers, *others)}

    def _decimal(self, value: float, digits: int) -> str:
        return format_decimal(
            round(value, digits), format=f"#,##0.{'0' * digits}" if digits else "#,##0", locale=self.locale
        )

    def _hour(self, local: datetime) -> str:
        return format_datetime(local, "HH:mm", locale=self.locale)

    def _time(self, machine: str, words: str) -> Markup:
        language = self.locale.split("_")[0]
        # A screen reader should read the month in its own language.
        lang = "" if language == "en" else f' lang="{language}"'
        return Markup('<time datetime="{}"{}>{}</time>').format(
            machine, Markup(lang), words.replace(" ", SPACE, 1)
        )
