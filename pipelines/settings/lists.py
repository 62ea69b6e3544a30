"""What a list for a campaign is. Who may be on one whatever it asks for is decided by `pipelines.delivery.gate`."""

from typing import Literal

from pydantic import Field

from pipelines.settings.base import Settings


class ContactCap(Settings):
    """How often a customer may be written to.

    Attributes
    ----------
    times
        Who got so many messages or lists gets no further one.
    days
        Counted over so many days up to as_of, its own day included.
    """

    times: int = Field(default=4, ge=1)
    days: int = Field(default=30, ge=1, le=366)


class SegmentList(Settings):
    """One list of people for a campaign.

    ``where`` is one boolean SQL expression over customer_profile; ``null_means`` says what a rule that comes
    out as null decides. ``order_by`` and ``limit`` cut the list to the best. Who may be written to at all is decided
    by one gate for all lists.

    Attributes
    ----------
    name
        What the list is known by.
    title
        The name for people.
    channel
        How people are written to.
    where
        One boolean SQL expression over customer_profile.
    reason
        Why somebody is on it, with columns of customer_profile in braces.
    order_by
        What the list is sorted by before it is cut, as in SQL.
    limit
        How many people at most.
    hold_out
        Share that is not written to, by lot.
    expected_rate
        Share expected to order without a campaign, for the smallest lift that can be shown; by default what is
        predicted of its people.
    expires_after_hours
        After so many hours it is not handed out any more.
    null_means
        What a rule that comes out as null decides.
    purpose
        loyalty, reactivation, second order, detractor recovery, review request, referral invitation, cross-sell, or
        one of the shop's own.
    exclusive
        Whoever is on an earlier list of the same purpose is not on this one.
    cap
        Its own frequency cap instead of the shop's; lists for ads have none unless they name one.
    ignores_open_cases
        Write also to people with an open return, ticket or order.
    exclude
        Files of people to leave out, beside shop.toml: one e-mail, phone or customer number a line.
    columns
        Columns of customer_profile that upload files carry beside what the platform needs.
    platforms
        For whom files are made; by default those that serve the channel.
    period
        For how long an assignment to the hold-out lasts.
    window_days
        How many days after sending the effect is counted.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    purpose: str
    channel: Literal["email", "sms", "ads"] = "email"
    where: str
    reason: str
    order_by: str = "customer_key"
    limit: int | None = Field(default=None, gt=0)
    hold_out: float = Field(default=0.1, ge=0, lt=1)
    expected_rate: float | None = Field(default=None, gt=0, lt=1)
    expires_after_hours: int = Field(default=72, gt=0)
    null_means: Literal["out", "in"] = "out"
    exclusive: bool = False
    cap: ContactCap | None = None
    ignores_open_cases: bool = False
    exclude: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    platforms: tuple[str, ...] | None = None
    period: Literal["week", "month", "quarter", "year"] = "quarter"
    window_days: int = Field(default=90, ge=7, le=365)
