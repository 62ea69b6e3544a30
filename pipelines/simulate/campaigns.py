"""Campaigns: who is assigned to what by lot, and what it does to the time until the next order.

While a campaign's window lasts, whoever was written to buys at the plan's multiple of the own rate. People are chosen
among those who may be written to at that time, whatever they have bought, so that nothing but the lot decides. What the
shop exports of it is `deliveries`' business, its true effect `effects`'.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.simulate.clock import Clock
from pipelines.simulate.parameters import WEB, CampaignPlan, Parameters
from pipelines.simulate.people import People

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

HOUR_OF_SENDING = 10 / 24


@dataclass(frozen=True, slots=True)
class Permissions:
    """What people allow, in days; infinite where it never happens.

    Attributes
    ----------
    granted_at, withdrawn_at
        Consent to e-mail.
    sms_at
        Consent to text messages.
    unsubscribed_at, bounced_at, objected_at
        When a suppression was recorded.
    """

    granted_at: Floats
    withdrawn_at: Floats
    sms_at: Floats
    unsubscribed_at: Floats
    bounced_at: Floats
    objected_at: Floats

    def until(self) -> Floats:
        """Say from when on nobody may write to a person by e-mail any more."""
        return np.minimum.reduce([self.withdrawn_at, self.unsubscribed_at, self.bounced_at, self.objected_at])


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign and who of the block is in it.

    Attributes
    ----------
    starts_at, ends_at
        Its window, in days.
    is_assigned, is_treated
        In it at all; written to and not held out.
    """

    plan: CampaignPlan
    starts_at: float
    ends_at: float
    is_assigned: Flags
    is_treated: Flags


def permit(people: People, clock: Clock, numbers: Parameters, generator: np.random.Generator) -> Permissions:
    """Draw what each person allows and takes back; only accounts on the web are asked."""
    contact = numbers.contact
    is_asked = people.has_account & (people.main_channel == WEB)

    def some(share: float, after: Floats, asked: Flags = is_asked) -> Floats:
        happens = asked & (generator.random(people.size) < share)
        later = after + generator.random(people.size) * np.maximum(clock.end - after, 0.0)
        return np.where(happens, later, np.inf)

    grants = is_asked & (generator.random(people.size) < contact.consent_share)
    granted_at = np.where(grants, people.arrival, np.inf)
    texts = is_asked & people.gives_phone_on_web & (generator.random(people.size) < contact.sms_share)
    return Permissions(
        granted_at=granted_at,
        withdrawn_at=some(contact.withdrawn_share, people.arrival, grants),
        sms_at=np.where(texts, people.arrival, np.inf),
        unsubscribed_at=some(contact.unsubscribed_share, people.arrival),
        bounced_at=some(contact.bounced_share, people.arrival),
        objected_at=some(contact.objection_share, people.arrival),
    )


def assign(
    people: People,
    permissions: Permissions,
    clock: Clock,
    numbers: Parameters,
    generator: np.random.Generator,
) -> tuple[Campaign, ...]:
    """Draw lots for every campaign that fits into the history."""
    contact = numbers.contact
    campaigns: list[Campaign] = []
    for plan in numbers.campaigns:
        starts_at = float(np.floor(plan.starts_at_share * clock.days)) + HOUR_OF_SENDING
        may = (permissions.granted_at < starts_at) & (permissions.until() > starts_at)
        is_assigned = may & (generator.random(people.size) < contact.targeted_share)
        is_treated = is_assigned & (generator.random(people.size) >= contact.held_out_share)
        if starts_at < clock.end:
            ends_at = starts_at + plan.window_days
            campaigns.append(Campaign(plan, starts_at, ends_at, is_assigned, is_treated))
    return tuple(campaigns)


def next_order(
    at: Floats, who: Ints, rate: Floats, campaigns: tuple[Campaign, ...], clock: Clock, effort: Floats
) -> Floats:
    """Time of the next order: when the rate, higher inside windows, has added up to ``effort``.

    Parameters
    ----------
    rate
        Purchases a day of pace outside of windows.
    effort
        Draws of an exponential variate with mean 1: the rate adds up to it at the next event of a Poisson process.
    """
    pace, left = clock.to_pace(at), effort / rate
    for campaign in campaigns:
        multiple = campaign.plan.rate_multiplier
        if multiple == 1.0:
            continue
        start, end = clock.to_pace(np.array([campaign.starts_at, campaign.ends_at]))
        before = np.minimum(left, np.maximum(start - pace, 0.0))
        pace, left = pace + before, left - before
        inside = np.where(
            campaign.is_treated[who] & (left > 0), np.maximum(end - np.maximum(pace, start), 0.0), 0.0
        )
        spent = np.minimum(left, inside * multiple)
        pace, left = pace + spent / multiple, left - spent
    return clock.from_pace(pace + left)
