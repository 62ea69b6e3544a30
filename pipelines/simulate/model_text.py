"""MODEL.md: the generative model in words, with the numbers that were used."""

from collections.abc import Iterator
from textwrap import wrap

from pipelines.simulate.catalogue import BAD_REASONS, CATEGORIES, GOOD_REASONS, LEVELS, PRODUCTS_A_CATEGORY
from pipelines.simulate.clock import TIMEZONE, Clock
from pipelines.simulate.parameters import FUTURE_DAYS, CampaignPlan, Parameters
from pipelines.simulate.parcels import CARRIERS, LATE_CHANCE
from pipelines.simulate.people import (
    ACCOUNT_SHARE,
    CHANNEL_SHARES,
    MAIN_SHARES,
    STORE_PHONE_SHARE,
    WEB_PHONE_SHARE,
)

LINE = 110
_TEXT = """\
# How this shop was made

{customers:,} made-up people order from {first_day} to {last_day}; seed {seed}. The same numbers give the \
same tables. Nobody here exists: addresses end in @example.com, and phone numbers begin with +1 0, which \
no telephone can have (no area code of North America begins with 0), though they have the form of numbers \
and are read like them. A run reads `deliveries/` and `shop.toml`, never `truth/`.

## Time
The wall clock of {timezone}. "Pace" is time stretched by the seasons: a yearly wave, a rush in the first \
half of December, days of the week, hours of the day. What has a constant rate in pace is frequent when \
the shop is busy. An order at an hour that the clock skips in spring is placed an hour later.

## Buying, till they leave
- Arrival: the first order is uniform in pace over the whole history, so nobody has bought before it.
- While a customer, a person buys as a Poisson process in pace with an own rate: gamma (shape \
{rate_shape}) with mean {mean_rate:.4f} a day, times the pace of the person's own category (table \
below). {same_day:.0%} of orders are followed by another within hours, on the same day.
- After each placed order the person leaves with probability 1 - exp(-hazard). The hazard of an order of \
satisfaction 0 is the person's own: -log(1 - p), p from a beta distribution ({leaving_a}, {leaving_b}). \
An order of satisfaction s has hazard own x exp(-{by_satisfaction} s). Leaving takes hold when the \
experience is complete: the parcel has arrived and a bad return is registered. Orders before that still \
happen.
- With every satisfaction at 0 and no campaign or loyalty programme this is the modified BG/NBD model of \
each category.

## Satisfaction of an order
own level (normal, sd {own_level_sd}) + mean quality of its products (by product, normal, sd 0.4) + luck \
(normal, sd {luck_sd}) less {late_drop:.3f} if the parcel came late less {bad_drop:.3f} if goods came back by \
the shop's fault. So a late parcel multiplies the hazard of leaving by **{late}**, a bad return by \
**{bad}**, beside nothing else. A return for other reasons, a ticket, a survey change nothing.

## Orders
- 1 to 6 lines (geometric, {line_share}), {basket_loyalty:.0%} of them from the person's own category; \
pieces mostly 1.
- Prices: {products} products in {levels} price levels. A person's price level is gamma (shape \
{price_shape}, mean 1) and decides the level, now and then one to the side. `spend_mean` in \
truth/customers is the expected merchandise value of an order before returns. {discount_share:.0%} of \
orders have {discount:.0%} off; below 60 EUR there is postage except in the store.
- Of all orders {cancelled:.1%} are cancelled, {test:.1%} tests, {gift_only:.1%} gift cards only, \
{pending:.1%} never paid. They are not experienced and do not count; the first order of a person may be \
one of them.

| own category | share | pace | middle price | return rate | by the shop's fault |
|---|---|---|---|---|---|
{categories}

- Returns, line by line: product's rate x person's tendency (people who buy more return more), halved in \
the store. Reasons that are nobody's fault: {good_reasons}. The shop's fault: {bad_reasons}. 1 to 45 \
days after arrival; refund about 4 days later. Refund, exchange or store credit; an exchange gives no \
money back and sends a free order, tagged.
- Parcels: {carriers} come late with probability {late_chances}, x 1.3 abroad, x 2 in December, drawn by \
lot.

## Channels and who is who
Main channel by person: {main}. Orders fall into web shop / marketplace / store: {channels}; the first \
always into the main one. The web shop knows an e-mail address, a customer number of {account_share:.0%} \
(the others are guests), a phone number of {web_phone:.0%}; the marketplace a number of its own and the phone number; \
the store a phone number of {store_phone:.0%}, of the others nothing. {second_address:.0%} move to another address. \
Where no identifier connects two channels, the lab sees two customers.

## Loyalty programme
From {programme:.0%} of the history on, placed web orders of accounts join with probability \
min({join_most}, {join_base} + {join_by_rate} sqrt(rate / mean rate)). Members buy at **{loyalty}** times \
their own rate. Members had higher rates before: comparing them with others says too much.

## Campaigns
Web accounts with consent at that time; {targeted:.0%} of them are assigned, of these {held_out:.0%} held \
out, all by lot, whatever they bought. Inside the window whoever was written to buys at a multiple of the \
own rate:

| campaign | starts after | window | multiple of the rate |
|---|---|---|---|
{campaigns}

`truth/effects.json` gives the difference in P(a placed order in the window) that this makes for those \
assigned, with those counted who had left by then, and what the draw gave (`drawn`; `seen`: orders that \
lead to the e-mail address).

## Surveys, tickets
{invited:.0%} of web orders are asked about (NPS 0-10, CSAT and product 1-5) two days after arrival. An \
answer comes with probability logistic({answer_intercept} + {answer_by} s): the satisfied answer more. \
Scores are s on each scale with noise. A late parcel brings a ticket that asks for it with probability \
{wismo:.0%}.

## Deliveries
About two a year, each order as it stood then; later states come in the next delivery or in the corrections \
after the end, with `updated_at`. {replayed:.1%} of orders come again unchanged. To about {dirty:.0%} of \
rows a copy is added that breaks a critical rule; `truth/dirty_rows.parquet` says which row of which file \
breaks which rules. Good rows are never spoilt.

## Truth
`customers` one row a person: every id, rate, probability of leaving, when they left, spend mean, \
satisfaction ... `orders` one row an order of the history, with its buyer, satisfaction and what it came \
to once everything was returned. `future` the placed orders of the {future} days after the end, with no \
new campaign. `effects.json` the true effects, means of what the model makes of each order or person with \
and without, at the same everything else.
"""


def model_text(customers: int, clock: Clock, seed: int, numbers: Parameters) -> str:
    """Write the model down."""
    buying, reactions, contact = numbers.buying, numbers.reactions, numbers.contact
    loyalty, accidents = numbers.loyalty, numbers.accidents
    _, cancelled, test, gift_only, pending = accidents.standing_shares
    text = _TEXT.format(
        customers=customers,
        first_day=clock.first_day,
        last_day=clock.day(clock.end - 0.5),
        seed=seed,
        timezone=TIMEZONE,
        rate_shape=buying.rate_shape,
        mean_rate=buying.mean_rate,
        same_day=buying.same_day,
        leaving_a=buying.leaving_a,
        leaving_b=buying.leaving_b,
        by_satisfaction=reactions.hazard_a_unit,
        own_level_sd=reactions.own_level_sd,
        luck_sd=reactions.luck_sd,
        late=reactions.late_multiplier,
        bad=reactions.bad_return_multiplier,
        late_drop=reactions.late_drop,
        bad_drop=reactions.bad_drop,
        line_share=buying.line_share,
        basket_loyalty=buying.basket_loyalty,
        products=PRODUCTS_A_CATEGORY * len(CATEGORIES),
        levels=LEVELS,
        price_shape=buying.price_shape,
        discount_share=accidents.discount_share,
        discount=accidents.discount,
        cancelled=cancelled,
        test=test,
        gift_only=gift_only,
        pending=pending,
        categories="\n".join(_categories()),
        good_reasons=", ".join(GOOD_REASONS),
        bad_reasons=", ".join(BAD_REASONS),
        carriers=", ".join(CARRIERS),
        late_chances=", ".join(f"{chance:.0%}" for chance in LATE_CHANCE),
        main=" / ".join(f"{share:.0%}" for share in MAIN_SHARES),
        channels="; ".join(" / ".join(f"{share:.0%}" for share in row) for row in CHANNEL_SHARES),
        account_share=ACCOUNT_SHARE,
        web_phone=WEB_PHONE_SHARE,
        store_phone=STORE_PHONE_SHARE,
        second_address=accidents.second_address_share,
        programme=loyalty.starts_at_share,
        join_most=loyalty.join_most,
        join_base=loyalty.join_base,
        join_by_rate=loyalty.join_by_rate,
        loyalty=loyalty.rate_multiplier,
        targeted=contact.targeted_share,
        held_out=contact.held_out_share,
        campaigns="\n".join(_campaign(plan, clock) for plan in numbers.campaigns),
        invited=contact.invited_share,
        answer_intercept=contact.answer_intercept,
        answer_by=contact.answer_by_satisfaction,
        wismo=accidents.wismo_when_late,
        replayed=accidents.replayed_share,
        dirty=accidents.dirty_share,
        future=FUTURE_DAYS,
    )
    return "\n".join(line for block in text.split("\n") for line in _wrapped(block)) + "\n"


def _wrapped(line: str) -> list[str]:
    """Break a paragraph or bullet into lines; tables stay as they are."""
    if line.startswith("|") or not line:
        return [line]
    return wrap(line, LINE, subsequent_indent="  " * line.startswith("- "), break_on_hyphens=False)


def _categories() -> Iterator[str]:
    for kind in CATEGORIES:
        yield (
            f"| {kind.name} | {kind.share:.0%} | {kind.pace} | {kind.price:.0f} EUR | {kind.return_rate:.0%} "
            f"| {kind.bad_share:.0%} |"
        )


def _campaign(plan: CampaignPlan, clock: Clock) -> str:
    start = int(plan.starts_at_share * clock.days)
    return f"| {plan.name} | {start} days | {plan.window_days} days | **{plan.rate_multiplier}** |"
