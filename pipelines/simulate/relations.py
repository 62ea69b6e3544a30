"""What the shop's customer systems export: accounts, consents, suppressions, campaigns, messages, points, referrals.

Who is assigned to which campaign, and what that does, is `campaigns'` business.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.block import DELIVERY, Block, chosen, exported
from pipelines.simulate.parameters import PLACED, WEB
from pipelines.simulate.people import CITIES, COUNTRIES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WELCOME_POINTS = 50
REFERRED_SHARE = 0.03


def customers(block: Block) -> pl.DataFrame:
    """Give the web shop's accounts, made with the first web order; a changed address comes again."""
    orders, people, names, clock = block.histories.orders, block.people, block.names, block.clock
    made = np.full(people.size, np.inf)
    on_web = orders.channel == WEB
    np.minimum.at(made, orders.who[on_web], orders.at[on_web])
    who = np.flatnonzero(people.has_account & (made < clock.end))
    made, moved = made[who], people.new_address_from[who]
    zips = pl.Series(block.generator.integers(10_000, 99_999, len(who))).cast(pl.String)
    cities = chosen(CITIES, block.generator.integers(0, len(CITIES), len(who)))
    columns = {
        "customer_id": names.account.gather(who),
        "email": block.email(who, made),
        "phone": _where(people.gives_phone_on_web[who], names.phone.gather(who)),
        "first_name": names.first_name.gather(who),
        "last_name": names.last_name.gather(who),
        "country": chosen(COUNTRIES, people.country[who]),
        "city": cities,
        "zip": zips,
        "created_at": clock.texts(made),
    }
    columns["updated_at"] = columns["created_at"]
    rows = exported(columns, block.delivery_of(made))
    again = np.flatnonzero((moved > made) & (moved < clock.end))
    newer = rows[again].with_columns(
        block.email(who[again], moved[again]).alias("email"),
        clock.texts(moved[again]).alias("updated_at"),
        pl.Series(DELIVERY, block.delivery_of(moved[again]).astype(np.int32)),
    )
    return pl.concat([rows, newer])


def consents(block: Block) -> pl.DataFrame:
    """Give every consent that was given or withdrawn."""
    allowed = block.permissions
    parts = [
        (allowed.granted_at, "email", "true"),
        (allowed.withdrawn_at, "email", "false"),
        (allowed.sms_at, "sms", "true"),
    ]
    return pl.concat(
        _recorded(block, at, {"channel": channel, "is_granted": is_granted})
        for at, channel, is_granted in parts
    )


def suppressions(block: Block) -> pl.DataFrame:
    """Give every objection, unsubscription and bounce."""
    stopped = block.permissions
    parts: list[tuple[Floats, dict[str, str | None]]] = [
        (stopped.objected_at, {"kind": "objection", "channel": None}),
        (stopped.unsubscribed_at, {"kind": "unsubscribed", "channel": "email"}),
        (stopped.bounced_at, {"kind": "bounced", "channel": "email"}),
    ]
    return pl.concat(_recorded(block, at, cells) for at, cells in parts)


def campaigns(block: Block) -> Mapping[str, pl.DataFrame]:
    """Give who was assigned to which campaign, and the messages to those who were not held out."""
    contact, clock, generator = block.numbers.contact, block.clock, block.generator
    assigned: list[pl.DataFrame] = []
    sent: list[pl.DataFrame] = []
    count = 0
    for campaign in block.campaigns:
        who = np.flatnonzero(campaign.is_assigned)
        at = np.full(len(who), campaign.starts_at)
        treated = campaign.is_treated[who]
        columns = {
            "campaign": _all(campaign.plan.name, len(who)),
            **block.account_cells(who, at),
            "assignment": chosen(("hold_out", "deliver"), treated.astype(np.int64)),
            "channel": _all("email", len(who)),
            "assigned_at": clock.texts(at),
        }
        assigned.append(exported(columns, block.delivery_of(at)))
        who = who[treated]
        at = campaign.starts_at + generator.uniform(0.001, 0.05, len(who))
        opens = generator.random(len(who)) < contact.opened_share
        opened = np.where(opens, at + 0.002 + generator.exponential(0.7, len(who)), np.inf)
        clicks = generator.random(len(who)) < contact.clicked_share
        clicked = np.where(clicks, opened + 0.001, np.inf)
        delivery = block.delivery_of(at)
        known = np.array(clock.edges)[delivery]
        columns = {
            "message_id": block.ids("N", len(who), count),
            **block.account_cells(who, at),
            "channel": _all("email", len(who)),
            "campaign": _all(campaign.plan.name, len(who)),
            "kind": _all("marketing", len(who)),
            "sent_at": clock.texts(at),
            "opened_at": clock.texts(np.where(opened < known, opened, np.inf)),
            "clicked_at": clock.texts(np.where(clicked < known, clicked, np.inf)),
        }
        sent.append(exported(columns, delivery))
        count += len(who)
    return {"campaign_assignments": pl.concat(assigned), "messages": pl.concat(sent)} if assigned else {}


def loyalty_ledger(block: Block) -> pl.DataFrame:
    """Give points: a welcome with joining, a point a euro of each order, the welcome spent with the next one."""
    orders, lines, clock = block.histories.orders, block.histories.lines, block.clock
    worth = np.bincount(lines.order, lines.net, orders.size)
    is_ours = (orders.standing == PLACED) & (orders.channel == WEB)
    joins = np.flatnonzero(orders.joins & (orders.at < clock.end))
    earned_at = orders.delivered_at + 1.0
    earns = np.flatnonzero(is_ours & (orders.is_member | orders.joins) & (earned_at < clock.end))
    later = np.flatnonzero(is_ours & orders.is_member & (orders.at < clock.end))
    _, nth = np.unique(orders.who[later], return_index=True)
    spends = later[nth]
    rows = np.concatenate([joins, earns, spends])
    parts = np.repeat(np.arange(3), [len(joins), len(earns), len(spends)])
    points = np.select(
        [parts == 1, parts == 2], [np.floor(worth[rows] / 100), -WELCOME_POINTS], WELCOME_POINTS
    )
    at = np.where(parts == 1, earned_at[rows], orders.at[rows] + 1e-4 * (parts == 2))
    kept = (points != 0) & (at < clock.end)
    rows, parts, points, at = rows[kept], parts[kept], points[kept], at[kept]
    columns = {
        "entry_id": block.ids("L", len(rows)),
        **block.account_cells(orders.who[rows], at),
        "points": pl.Series(points.astype(np.int64)).cast(pl.String),
        "reason": chosen(("welcome", "order", "redeemed"), parts),
        "order_id": block.order_ids.gather(rows),
        "booked_at": clock.texts(at),
    }
    return exported(columns, block.delivery_of(at))


def referrals(block: Block) -> pl.DataFrame:
    """Give who brought whom: somebody of the block with an account, before the friend's first order."""
    people, orders, generator = block.people, block.histories.orders, block.generator
    first_order = np.full(people.size, orders.size)
    np.minimum.at(first_order, orders.who, np.arange(orders.size))
    is_known = people.has_account & (people.main_channel == WEB)
    known = np.flatnonzero(is_known)
    by_time = known[np.argsort(people.arrival[known], kind="stable")]
    is_friend = is_known & (generator.random(people.size) < REFERRED_SHARE)
    at = people.arrival - generator.uniform(0.5, 10, people.size)
    earlier = np.searchsorted(people.arrival[by_time], at)
    friends = np.flatnonzero(is_friend & (earlier > 0) & (at > 0))
    who = by_time[np.floor(generator.random(len(friends)) * earlier[friends]).astype(np.int64)]
    moment = at[friends]
    friend = block.account_cells(friends, moment)
    columns = {
        "referral_id": block.ids("F", len(friends)),
        **block.account_cells(who, moment),
        "friend_customer_id": friend["customer_id"],
        "friend_email": friend["email"],
        "order_id": block.order_ids.gather(first_order[friends]),
        "referred_at": block.clock.texts(moment),
    }
    # What the shop knows of a referral it knows once the friend has ordered.
    return exported(columns, block.delivery_of(people.arrival[friends]))


def _recorded(block: Block, at: Floats, cells: Mapping[str, str | None]) -> pl.DataFrame:
    who = np.flatnonzero(at < block.clock.end)
    columns = {
        **block.account_cells(who, at[who]),
        **{name: _all(text, len(who)) for name, text in cells.items()},
        "recorded_at": block.clock.texts(at[who]),
    }
    return exported(columns, block.delivery_of(at[who]))


def _all(text: str | None, size: int) -> pl.Series:
    return pl.repeat(text, size, dtype=pl.String, eager=True)


def _where(flags: NDArray[np.bool_], texts: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(flags)).then(texts)).to_series()
