"""The true effects, computed from the model's own numbers for the people and orders at hand.

A late parcel or a bad return works through the chance to stay: P(stays) = exp(-hazard). With a rate of r placed orders
a day of pace, the next order comes within h days with
P = 1 - exp(-r L) + P(stays) * (exp(-r L) - exp(-r H)), where L and H are the pace until the experience is complete and
until the horizon. A campaign multiplies the rate inside its window: the difference in P(at least one placed order
there) is exp(-r W) - exp(-m r W) for whoever is still a customer. What orders show of it is up to the lab.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.block import Block
from pipelines.simulate.campaigns import Campaign
from pipelines.simulate.parameters import PLACED, Parameters
from pipelines.simulate.people import is_linked

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZONS = (90, 180, 365)
Sums = dict[str, float]


class Effects:
    """Sums over blocks of people, and the means that follow from them."""

    def __init__(self, numbers: Parameters) -> None:
        self._numbers = numbers
        self._sums: dict[str, Sums] = {}

    def add(self, block: Block) -> None:
        """Add one block of people."""
        reactions, orders = self._numbers.reactions, block.histories.orders
        self._experience(block, "late_delivery", orders.is_late, reactions.late_multiplier)
        self._experience(block, "bad_return", orders.has_bad_return, reactions.bad_return_multiplier)
        self._loyalty(block)
        for campaign in block.campaigns:
            self._campaign(block, campaign)

    def told(self) -> Mapping[str, Any]:
        """Give all effects as effects.json holds them."""
        numbers, reactions = self._numbers, self._numbers.reactions
        loyalty = self._sums.get("loyalty_programme", {})
        return {
            "satisfaction": {
                "says": "One unit of an order's satisfaction divides the hazard of leaving by exp(hazard_a_unit).",
                "hazard_a_unit": reactions.hazard_a_unit,
            },
            "late_delivery": self._told_experience("late_delivery", reactions.late_multiplier),
            "bad_return": self._told_experience("bad_return", reactions.bad_return_multiplier),
            "ticket": {"says": "Nothing of its own.", "leaving_hazard_multiplier": 1.0},
            "survey": {
                "says": "Neither asking nor answering changes anything.",
                "leaving_hazard_multiplier": 1.0,
            },
            "loyalty_programme": {
                "says": "Members buy at this multiple of their own rate from joining on; eager buyers join more.",
                "rate_multiplier": numbers.loyalty.rate_multiplier,
                "members": int(loyalty.get("members", 0)),
                "own_rate_members_over_others": _ratio(
                    _ratio(loyalty.get("rate_members", 0), loyalty.get("members", 0)),
                    _ratio(loyalty.get("rate_others", 0), loyalty.get("others", 0)),
                ),
            },
            "campaigns": [
                self._told_campaign(plan.name) for plan in numbers.campaigns if plan.name in self._sums
            ],
        }

    def _count(self, what: str, **amounts: float) -> None:
        sums = self._sums.setdefault(what, {})
        for name, amount in amounts.items():
            sums[name] = sums.get(name, 0.0) + float(amount)

    def _experience(self, block: Block, what: str, happened: Flags, multiplier: float) -> None:
        """Compare each placed order of the history as it would have gone with and without."""
        orders, clock, people = block.histories.orders, block.clock, block.people
        rows = np.flatnonzero((orders.standing == PLACED) & (orders.at < clock.end))
        who, at = orders.who[rows], orders.at[rows]
        is_member = orders.is_member[rows] | orders.joins[rows]
        rate = (
            people.rate[who]
            * np.where(is_member, self._numbers.loyalty.rate_multiplier, 1.0)
            * placed_share(block)
        )
        without = orders.leaving[rows] / np.where(happened[rows], multiplier, 1.0)
        # Whoever comes back within hours comes back either way.
        change = (np.exp(-without * multiplier) - np.exp(-without)) * (1 - self._numbers.buying.same_day)
        start = clock.to_pace(at)
        until = np.exp(-rate * (clock.to_pace(orders.experienced_at[rows]) - start))
        self._count(what, orders=len(rows), happened=happened[rows].sum())
        for days in HORIZONS:
            later = np.exp(-rate * (clock.to_pace(at + days) - start))
            effect = change * np.maximum(until - later, 0.0)
            self._count(
                what, **{f"all_{days}": effect.sum(), f"of_those_{days}": effect[happened[rows]].sum()}
            )

    def _told_experience(self, what: str, multiplier: float) -> Mapping[str, Any]:
        sums = self._sums.get(what, {})
        return {
            "says": "What it changes in P(a further placed order within so many days of the order).",
            "leaving_hazard_multiplier": multiplier,
            "orders": int(sums.get("orders", 0)),
            "happened": int(sums.get("happened", 0)),
            "mean_change_all_orders": {
                str(days): _ratio(sums.get(f"all_{days}", 0), sums.get("orders", 0)) for days in HORIZONS
            },
            "mean_change_where_it_happened": {
                str(days): _ratio(sums.get(f"of_those_{days}", 0), sums.get("happened", 0))
                for days in HORIZONS
            },
        }

    def _loyalty(self, block: Block) -> None:
        rate = block.people.rate
        is_member = block.histories.joined_at < block.clock.end
        self._count(
            "loyalty_programme",
            members=is_member.sum(),
            others=(~is_member).sum(),
            rate_members=rate[is_member].sum(),
            rate_others=rate[~is_member].sum(),
        )

    def _campaign(self, block: Block, campaign: Campaign) -> None:
        clock, who = block.clock, np.flatnonzero(campaign.is_assigned)
        leaves_at = self._leaves_at(block, campaign.starts_at)[who]
        ends = np.clip(np.minimum(leaves_at, campaign.ends_at), campaign.starts_at, None)
        window = clock.to_pace(ends) - clock.to_pace(np.array([campaign.starts_at]))
        joined = block.histories.joined_at[who] < campaign.starts_at
        own = block.people.rate[who] * np.where(joined, self._numbers.loyalty.rate_multiplier, 1.0)
        exposure = own * placed_share(block) * window
        multiple = campaign.plan.rate_multiplier
        held_out, treated = -np.expm1(-exposure), -np.expm1(-exposure * multiple)
        self._count(
            campaign.plan.name,
            starts_at=0.0,
            assigned=len(who),
            treated=campaign.is_treated[who].sum(),
            held_out_p=held_out.sum(),
            treated_p=treated.sum(),
            variance=((treated * (1 - treated)).sum()),
        )
        self._observe(block, campaign)

    def _observe(self, block: Block, campaign: Campaign) -> None:
        """Count who did order, by assignment: in any channel, and where the order leads to the e-mail address."""
        orders = block.histories.orders
        inside = (orders.at >= campaign.starts_at) & (orders.at < min(campaign.ends_at, block.clock.end))
        inside &= orders.standing == PLACED
        linked = inside & is_linked(block.people, orders.who, orders.channel)
        for name, which in (("ordered", inside), ("seen", linked)):
            did = np.zeros(block.people.size, np.bool_)
            did[orders.who[which]] = True
            held_out = campaign.is_assigned & ~campaign.is_treated
            self._count(
                campaign.plan.name,
                **{
                    f"{name}_treated": (did & campaign.is_treated).sum(),
                    f"{name}_held_out": (did & held_out).sum(),
                },
            )

    def _leaves_at(self, block: Block, before: float) -> Floats:
        """When people left because of what they ordered before a moment."""
        orders, found = block.histories.orders, np.full(block.people.size, np.inf)
        rows = np.flatnonzero((orders.at < before) & np.isfinite(orders.leaves_at))
        np.minimum.at(found, orders.who[rows], orders.leaves_at[rows])
        return found

    def _told_campaign(self, name: str) -> Mapping[str, Any]:
        sums = self._sums[name]
        plan = next(plan for plan in self._numbers.campaigns if plan.name == name)
        held_out, treated = (
            _ratio(sums["held_out_p"], sums["assigned"]),
            _ratio(sums["treated_p"], sums["assigned"]),
        )
        others = sums["assigned"] - sums["treated"]
        return {
            "campaign": name,
            "says": "P(a placed order within the window), over everybody assigned: written to less held out.",
            "window_days": plan.window_days,
            "rate_multiplier": plan.rate_multiplier,
            "assigned": int(sums["assigned"]),
            "delivered": int(sums["treated"]),
            "p_order_held_out": held_out,
            "p_order_delivered": treated,
            "difference_in_p_order": treated - held_out,
            "drawn": {
                "p_order_delivered": _ratio(sums["ordered_treated"], sums["treated"]),
                "p_order_held_out": _ratio(sums["ordered_held_out"], others),
                "p_order_seen_delivered": _ratio(sums["seen_treated"], sums["treated"]),
                "p_order_seen_held_out": _ratio(sums["seen_held_out"], others),
            },
        }


def placed_share(block: Block) -> float:
    """Share of orders that are placed in the end; the others neither count nor change anything."""
    return block.numbers.accidents.standing_shares[PLACED]


def _ratio(above: float, below: float) -> float:
    return above / below if below else 0.0
