"""Campaigns for tests: tiny random ones beside a tiny shop, and drawn ones with a true effect. All data is composed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from models._group_difference import Group
from models.campaign_effect import Campaign
from tests.models.shops import OPENED

UNITS = 10_000
PEOPLE = {"customer_key": pl.String, "assignment": pl.String, "started_on": pl.Date}
LEFT = {"customer_key": pl.String, "channel": pl.String, "unsubscribed_day": pl.Date}


def people(rows: list[dict[str, Any]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=PEOPLE)


def campaign(**changes: Any) -> Campaign:
    """A delivered campaign by e-mail with a window of 30 days; what is not named is the least that it needs."""
    told: dict[str, Any] = {
        "name": "spring",
        "list_name": "spring",
        "title": "Spring",
        "source": "delivered",
        "channel": "email",
        "window_days": 30,
        "people": None,
    }
    return Campaign(**(told | changes))


@st.composite
def assigned(draw: st.DrawFn, *, customers: int = 6, days: int = 250) -> list[dict[str, Any]]:
    """People of a campaign, some of whom never ordered, with starts from before the shop's opening on."""
    keys = draw(st.lists(st.sampled_from([f"c{n}" for n in range(customers)]), unique=True))
    return [
        {
            "customer_key": key,
            "assignment": draw(st.sampled_from(["deliver", "hold_out"])),
            "started_on": OPENED + timedelta(draw(st.integers(-5, days))),
        }
        for key in keys
    ]


@st.composite
def departures(draw: st.DrawFn, *, customers: int = 6, days: int = 300) -> list[dict[str, Any]]:
    """Who unsubscribed or objected, on which channel."""
    return [
        {
            "customer_key": f"c{draw(st.integers(0, customers - 1))}",
            "channel": draw(st.sampled_from(["email", "sms", "all"])),
            "unsubscribed_day": OPENED + timedelta(draw(st.integers(0, days))),
        }
        for _ in range(draw(st.integers(0, 4)))
    ]


def known_by(rows: list[dict[str, Any]], day: str, as_of: date) -> list[dict[str, Any]]:
    return [row for row in rows if row[day] <= as_of]


@dataclass(frozen=True)
class Plan:
    """People who order as a Poisson process with a rate of their own, and a campaign that multiplies it.

    Rates a day are gamma distributed (shape, mean); amounts lognormal (mean, sigma). ``forgetful`` people have another
    rate in the window than in the year before: then the past tells nothing.
    """

    shape: float = 0.9
    mean_rate: float = 1 / 120
    window_days: int = 60
    multiple: float = 1.0
    amount: float = 40.0
    sigma: float = 0.6
    is_forgetful: bool = False

    @property
    def effects(self) -> dict[str, float]:
        """True differences per person."""
        return {
            "ordered": self._nobody(self.window_days) - self._nobody(self.window_days * self.multiple),
            "orders": self.mean_rate * self.window_days * (self.multiple - 1),
            "net_revenue": self.mean_rate * self.window_days * (self.multiple - 1) * self.amount,
        }

    def _nobody(self, days: float) -> float:
        """Share who order not once in so many days: the gamma mixture of exp(-rate days)."""
        return (1 + self.mean_rate * days / self.shape) ** -self.shape

    def draw(self, n: int, generator: np.random.Generator, *, is_treated: bool) -> dict[str, Group]:
        """Draw a group of people and sum up what they did."""
        before_rate = generator.gamma(self.shape, self.mean_rate / self.shape, n)
        rate = generator.permutation(before_rate) if self.is_forgetful else before_rate
        multiple = self.multiple if is_treated else 1.0
        orders = generator.poisson(rate * self.window_days * multiple)
        orders_before = generator.poisson(before_rate * 365)
        net = self._amounts(orders, generator)
        net_before = self._amounts(orders_before, generator)
        return {
            "ordered": group_of(np.minimum(orders, 1), orders_before),
            "orders": group_of(orders, orders_before),
            "net_revenue": group_of(net, net_before),
        }

    def _amounts(self, orders: Any, generator: np.random.Generator) -> Any:
        """Sum of as many amounts as each person has orders, in ten-thousandths."""
        location = math.log(self.amount) - self.sigma**2 / 2
        amounts = generator.lognormal(location, self.sigma, int(orders.sum()))
        owner = np.repeat(np.arange(len(orders)), orders)
        return np.round(np.bincount(owner, amounts, len(orders)) * UNITS).astype(np.int64)


def group_of(outcome: Any, before: Any) -> Group:
    """Sums of two whole numbers per person."""
    y, x = ([int(value) for value in values] for values in (outcome, before))
    return Group(
        n=len(y),
        total=sum(y),
        squares=sum(value * value for value in y),
        before=sum(x),
        before_squares=sum(value * value for value in x),
        products=sum(one * other for one, other in zip(y, x, strict=True)),
    )
