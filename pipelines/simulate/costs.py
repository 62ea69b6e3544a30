"""What the shop spends, a figure a day and kind, added up over all blocks of people."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.block import DELIVERY, Block
from pipelines.simulate.clock import Clock
from pipelines.simulate.parameters import PLACED, CampaignPlan

Floats = NDArray[np.float64]

COGS_SHARE, PAYMENT_SHARE = 0.45, 0.018
PARCEL, PACKAGING, RETURN_PARCEL, MESSAGE = 4.2, 0.6, 3.9, 0.002
CAMPAIGN_BASE = 250.0
KINDS = ("cogs", "payment", "shipping", "packaging", "returns")


class Costs:
    """Sums by kind and day, and by campaign."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_day = {kind: np.zeros(clock.days) for kind in KINDS}
        self._campaigns: dict[str, tuple[CampaignPlan, float, int]] = {}

    def add(self, block: Block) -> None:
        """Add what one block of people costs."""
        orders, lines, clock = block.histories.orders, block.histories.lines, self._clock
        worth = np.bincount(lines.order, lines.net, orders.size) / 100
        placed = (orders.standing == PLACED) & (orders.at < clock.end)
        sent, back = orders.shipped_at < clock.end, lines.returned_at < clock.end
        self._count("cogs", orders.at[placed], COGS_SHARE * worth[placed])
        self._count("payment", orders.at[placed], PAYMENT_SHARE * worth[placed])
        self._count("shipping", orders.shipped_at[sent], PARCEL)
        self._count("packaging", orders.shipped_at[sent], PACKAGING)
        self._count("returns", lines.returned_at[back], RETURN_PARCEL)
        for campaign in block.campaigns:
            plan = campaign.plan
            before = self._campaigns.get(plan.name, (plan, campaign.starts_at, 0))[2]
            self._campaigns[plan.name] = (plan, campaign.starts_at, before + int(campaign.is_treated.sum()))

    def rows(self) -> pl.DataFrame:
        """Give all costs as the shop exports them."""
        days = np.arange(self._clock.days)
        parts = [self._rows(days, sums, kind, None) for kind, sums in self._by_day.items()]
        for plan, starts_at, count in self._campaigns.values():
            day, amount = np.array([int(starts_at)]), np.array([CAMPAIGN_BASE + MESSAGE * count])
            parts.append(self._rows(day, amount, "campaign", plan.name))
        return pl.concat(parts)

    def _count(self, kind: str, at: Floats, amount: Floats | float) -> None:
        weights = np.broadcast_to(amount, at.shape)
        self._by_day[kind] += np.bincount(np.floor(at).astype(np.int64), weights, self._clock.days)

    def _rows(self, days: NDArray[np.int64], sums: Floats, kind: str, campaign: str | None) -> pl.DataFrame:
        day = self._clock.days_of(days.astype(np.float64) + 0.5).cast(pl.String)
        delivery = np.searchsorted(np.array(self._clock.edges), days + 0.5, side="right").astype(np.int32)
        return pl.select(
            pl.concat_str(pl.lit(kind), pl.lit(campaign or ""), day, separator="-").alias("cost_id"),
            day.alias("day"),
            pl.lit(kind).alias("kind"),
            pl.Series(np.rint(sums * 100) / 100).round(2).cast(pl.String).alias("amount"),
            pl.lit("EUR").alias("currency"),
            pl.lit(campaign, pl.String).alias("campaign"),
            pl.Series(delivery).alias(DELIVERY),
        ).filter(pl.col("amount") != "0.0")
