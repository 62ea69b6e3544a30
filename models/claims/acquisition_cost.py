"""Claim 13: winning a customer costs 5 to 25 times as much as keeping one.

What campaigns cost is parted by whom they are for: campaigns that wrote to customers the shop already knew keep, others
win. The one is divided by the customers won, the other by the customers kept, in the same 365 days.

What does not belong here: whether a campaign made anybody order (`models.campaign_effect`).
"""

from __future__ import annotations

import math
from datetime import date

from models.claims._estimate import Estimate
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._order_days import YEAR_DAYS, won_and_kept
from models.claims._part import Part, times
from models.claims._shop_costs import CampaignSpend, campaign_spend
from models.claims._words import count
from models.intervals import SMALL_GROUP, normal_quantile

__all__ = ["findings"]

_DEFINITION = (
    f"Costs of campaigns in the last {YEAR_DAYS} days. Winning: campaigns named in the costs that wrote to no known "
    "customer, over customers whose first order fell in these days. Keeping: campaigns named in the "
    "campaign assignments "
    "or the messages, over customers who had ordered before these days and did again in them. Not "
    "counted: discounts, "
    "wages, and costs without a campaign's name. The interval lets the two numbers of people vary as chance would "
    "(Poisson); what was spent is taken as told."
)
_PART = Part(
    claim=13,
    part="campaign costs",
    definition=_DEFINITION,
    n_of="new customers",
    claimed=Claimed(low=5.0, high=25.0, sense=Sense.ABOUT, unit=Unit.TIMES),
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Test the ratio of the cost of winning to the cost of keeping a customer."""
    needs = facts.lacks("orders", "costs")
    if needs:
        says = "Connect what the shop spends (costs), with each campaign under its name."
        return [_PART.cannot_be_tested(says, needs=needs)]
    spend = campaign_spend(facts, as_of, facts.options.get("acquisition_campaigns"))
    if spend.winning <= 0 or spend.keeping <= 0:
        return [_PART.cannot_be_tested(_why_not(spend), needs=("costs",))]
    people = won_and_kept(facts.tables["orders"], as_of)
    if min(people) == 0:
        says = f"{count(people.won)} customers were won and {count(people.kept)} kept in a year: too few to tell."
        return [_PART.cannot_tell(people.won, says)]
    winning, keeping = spend.winning / people.won, spend.keeping / people.kept
    spread = math.exp(normal_quantile(0.95) * math.sqrt(1 / people.won + 1 / people.kept))
    ratio = winning / keeping
    found = Estimate(ratio, ratio / spread, ratio * spread)
    says = (
        f"Campaigns to win customers cost {winning:,.2f} for each of {count(people.won)} new customers, campaigns to "
        f"keep them {keeping:,.2f} for each of {count(people.kept)} who came back: {times(found)} as much, where the "
        "claim says 5 to 25."
    )
    if min(people) < SMALL_GROUP:
        return [_PART.cannot_tell(people.won, f"{says} Too few to tell.")]
    return [_PART.tested(found, people.won, says)]


def _why_not(spend: CampaignSpend) -> str:
    if max(spend.winning, spend.keeping) <= 0 and spend.unnamed > 0:
        return (
            "The costs of campaigns carry no campaign's name, so nobody can tell whom they were for: deliver it, "
            "and the same name in the campaign assignments or messages."
        )
    if max(spend.winning, spend.keeping) <= 0:
        return "The costs of the last year hold no campaign: deliver what was spent to win and to keep customers."
    if spend.winning <= 0:
        return (
            "The campaigns whose costs are known all wrote to customers the shop had already: "
            "deliver what is spent to "
            "win new ones (advertising, search, partners), as costs of the kind campaign under a name of its own."
        )
    return (
        "The campaigns whose costs are known wrote to nobody the shop had already: deliver what is spent to keep "
        "customers under the name that the campaign has in the campaign assignments or messages."
    )
