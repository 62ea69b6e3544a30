"""The numbers of the generative model, each in one place; what they do is told in words by `model_text`.

Nothing is drawn here. A number that only shapes text (names, cities, comments) stands where the text is made.
"""

from dataclasses import dataclass
from math import log

FUTURE_DAYS = 365
"""How far after the end the true purchases are known."""
CHANNELS = ("web", "marketplace", "store")
WEB, MARKETPLACE, STORE = range(3)
STANDINGS = ("placed", "cancelled", "test", "gift card only", "pending")
PLACED, CANCELLED, TEST, GIFT_ONLY, PENDING = range(5)


@dataclass(frozen=True, slots=True)
class Buying:
    """How often, how long and how much people buy.

    Attributes
    ----------
    rate_shape, mean_rate
        Purchases a day while somebody is a customer: gamma over people, times their category's pace.
    leaving_a, leaving_b
        Probability of leaving after an order that went as usual: beta over people.
    price_shape
        Price level: gamma over people, mean 1.
    same_day
        Share of orders that are followed by another within hours.
    line_share
        Geometric number of order lines, cut at six.
    basket_loyalty
        Share of order lines from the person's own category.
    """

    rate_shape: float = 0.9
    mean_rate: float = 1 / 80
    leaving_a: float = 1.1
    leaving_b: float = 3.6
    price_shape: float = 4.0
    same_day: float = 0.02
    line_share: float = 0.55
    basket_loyalty: float = 0.7


@dataclass(frozen=True, slots=True)
class Reactions:
    """What an order's experience does to whether its buyer stays.

    Satisfaction of an order = the person's own level + the products' quality + luck - what went wrong; one unit of it
    divides the hazard of leaving by exp(``hazard_a_unit``). What a late parcel and a bad return do is given as
    multipliers of the hazard, so their drops in satisfaction follow.
    """

    hazard_a_unit: float = 0.4
    late_multiplier: float = 1.8
    bad_return_multiplier: float = 2.2
    own_level_sd: float = 0.7
    luck_sd: float = 0.8

    @property
    def late_drop(self) -> float:
        """What a late parcel takes from an order's satisfaction."""
        return log(self.late_multiplier) / self.hazard_a_unit

    @property
    def bad_drop(self) -> float:
        """What a bad return takes from it."""
        return log(self.bad_return_multiplier) / self.hazard_a_unit


@dataclass(frozen=True, slots=True)
class Loyalty:
    """The loyalty programme: who buys more joins more, and members buy more because of it."""

    rate_multiplier: float = 1.25
    starts_at_share: float = 0.15
    join_base: float = 0.04
    join_by_rate: float = 0.10
    join_most: float = 0.5


@dataclass(frozen=True, slots=True)
class CampaignPlan:
    """One campaign: when (as a share of the days), for how long, and by how much it raises the rate meanwhile."""

    name: str
    starts_at_share: float
    window_days: int
    rate_multiplier: float


CAMPAIGNS = (
    CampaignPlan("spring_offer", 0.35, 21, 1.8),
    CampaignPlan("newsletter_no_effect", 0.50, 21, 1.0),
    CampaignPlan("autumn_voucher", 0.66, 21, 1.5),
    CampaignPlan("winter_reminder", 0.86, 21, 1.25),
)


@dataclass(frozen=True, slots=True)
class Contact:
    """Who may be written to, who is chosen, and who answers."""

    consent_share: float = 0.65
    sms_share: float = 0.10
    withdrawn_share: float = 0.06
    unsubscribed_share: float = 0.04
    bounced_share: float = 0.012
    objection_share: float = 0.004
    targeted_share: float = 0.7
    held_out_share: float = 0.2
    opened_share: float = 0.35
    clicked_share: float = 0.2
    invited_share: float = 0.5
    answer_intercept: float = -0.9
    answer_by_satisfaction: float = 0.5
    comment_share: float = 0.15


@dataclass(frozen=True, slots=True)
class Accidents:
    """Shares of what is not as it should be."""

    standing_shares: tuple[float, ...] = (0.956, 0.025, 0.003, 0.010, 0.006)
    gift_card_share: float = 0.01
    discount_share: float = 0.15
    discount: float = 0.10
    wismo_when_late: float = 0.35
    wismo_else: float = 0.015
    other_ticket: float = 0.03
    ticket_on_return: float = 0.15
    dirty_share: float = 0.01
    replayed_share: float = 0.005
    second_address_share: float = 0.03


@dataclass(frozen=True, slots=True)
class Parameters:
    """All of the model's numbers."""

    buying: Buying = Buying()
    reactions: Reactions = Reactions()
    loyalty: Loyalty = Loyalty()
    campaigns: tuple[CampaignPlan, ...] = CAMPAIGNS
    contact: Contact = Contact()
    accidents: Accidents = Accidents()
