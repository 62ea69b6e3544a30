"""The made-up people of one block: how they buy, what they feel, by which numbers and addresses the shop knows them.

Nobody here exists. Addresses end in @example.com, which is kept free for examples. Phone numbers begin with +1 0: no
area code of North America begins with 0, so none of them can ever ring, though they are written like numbers.
What people do is `histories`' business.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.catalogue import CATEGORIES, LEVEL_CUTS
from pipelines.simulate.clock import Clock
from pipelines.simulate.parameters import CHANNELS, STORE, WEB, Parameters

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COUNTRIES = ("DE", "AT", "CH", "NL", "FR", "BE")
COUNTRY_SHARES = np.array([0.68, 0.10, 0.06, 0.07, 0.06, 0.03])
CITIES = ("Neustadt", "Altdorf", "Seeburg", "Bergheim", "Waldau", "Lindenthal", "Rosenfeld", "Kirchbach")
FIRST_NAMES = (
    "Ada", "Ben", "Cleo", "Dora", "Emil", "Fenja", "Gero", "Hanna", "Ilka", "Jonas", "Katja", "Lars", "Mina",
    "Nils", "Oda", "Paul", "Quirin", "Rosa", "Sven", "Tilda", "Udo", "Vera", "Wim", "Xenia", "Yann", "Zora",
)  # fmt: skip
LAST_NAMES = (
    "Ahrens", "Brandt", "Claus", "Dorn", "Eichel", "Fuchs", "Gruber", "Hahn", "Immel", "Jansen", "Kern", "Lenz",
    "Moser", "Nagel", "Otto", "Pohl", "Quast", "Rabe", "Sauer", "Thal", "Ulmer", "Voss", "Wirth", "Zander",
)  # fmt: skip
MAIN_SHARES = np.array([0.74, 0.15, 0.11])
CHANNEL_SHARES = np.array([[0.90, 0.05, 0.05], [0.10, 0.88, 0.02], [0.12, 0.04, 0.84]])
"""Share of a person's orders by channel, one row a main channel."""
ACCOUNT_SHARE, WEB_PHONE_SHARE, STORE_PHONE_SHARE = 0.75, 0.6, 0.55


@dataclass(frozen=True, slots=True)
class People:
    """One row a person, in arrays of equal length.

    Attributes
    ----------
    first_number
        Number of the first person; the others follow.
    arrival
        Time of the first order, in days.
    rate
        Purchases a day of pace while a customer.
    leaving
        Hazard of leaving after an order of usual experience: -log(1 - probability).
    price_level
        Multiple of the middle price; ``level`` is the price level it falls into.
    satisfaction
        Own level, mean 0.
    return_tendency
        Multiplies the return rates of products; people who buy more return more.
    category, country, main_channel
        Positions in the lists of their names.
    has_account, gives_phone_on_web, gives_phone_in_store
        What connects the person's orders in different channels.
    new_address_from
        When the person changed to another e-mail address; infinite for most.
    """

    first_number: int
    arrival: Floats
    rate: Floats
    leaving: Floats
    price_level: Floats
    level: Ints
    satisfaction: Floats
    return_tendency: Floats
    category: Ints
    country: Ints
    main_channel: Ints
    has_account: Flags
    gives_phone_on_web: Flags
    gives_phone_in_store: Flags
    new_address_from: Floats

    @property
    def size(self) -> int:
        """Number of people."""
        return len(self.arrival)

    @property
    def numbers(self) -> Ints:
        """Everybody's number."""
        return np.arange(self.first_number, self.first_number + self.size)


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in the cells that name a person, one text a person."""

    email: pl.Series
    new_email: pl.Series
    account: pl.Series
    marketplace: pl.Series
    phone: pl.Series
    phone_in_store: pl.Series
    first_name: pl.Series
    last_name: pl.Series


def draw(
    first_number: int, size: int, clock: Clock, numbers: Parameters, generator: np.random.Generator
) -> People:
    """Draw a block of people who arrive evenly over the history's pace."""
    buying, reactions = numbers.buying, numbers.reactions
    ends = clock.to_pace(np.array([0.0, clock.end]))
    # An hour before the end nobody new comes, so that nobody's first order lies beyond it.
    arrival = np.minimum(clock.from_pace(generator.uniform(ends[0], ends[1], size)), clock.end - 1 / 24)
    category = generator.choice(len(CATEGORIES), size, p=[kind.share for kind in CATEGORIES])
    pace = np.array([kind.pace for kind in CATEGORIES])[category]
    eagerness = generator.gamma(buying.rate_shape, 1 / buying.rate_shape, size)
    probability = generator.beta(buying.leaving_a, buying.leaving_b, size)
    price_level = generator.gamma(buying.price_shape, 1 / buying.price_shape, size)
    own = np.clip(np.log(eagerness + 0.05), -2.0, 1.5)
    changes = generator.random(size) < numbers.accidents.second_address_share
    return People(
        first_number=first_number,
        arrival=arrival,
        rate=eagerness * pace * buying.mean_rate,
        leaving=-np.log1p(-np.minimum(probability, 1 - 1e-9)),
        price_level=price_level,
        level=np.searchsorted(LEVEL_CUTS, price_level),
        satisfaction=generator.normal(0.0, reactions.own_level_sd, size),
        return_tendency=np.exp(0.3 * own + generator.normal(0.0, 0.5, size)),
        category=category,
        country=generator.choice(len(COUNTRIES), size, p=COUNTRY_SHARES),
        main_channel=generator.choice(len(CHANNELS), size, p=MAIN_SHARES),
        has_account=generator.random(size) < ACCOUNT_SHARE,
        gives_phone_on_web=generator.random(size) < WEB_PHONE_SHARE,
        gives_phone_in_store=generator.random(size) < STORE_PHONE_SHARE,
        new_address_from=np.where(changes, arrival + generator.uniform(30, 400, size), np.inf),
    )


def name(people: People, generator: np.random.Generator) -> Names:
    """Make up what names each person: no two share an address, an account or a phone number."""
    first = generator.integers(0, len(FIRST_NAMES), people.size)
    last = generator.integers(0, len(LAST_NAMES), people.size)
    made = pl.select(
        pl.Series("number", people.numbers),
        pl.Series("first_name", FIRST_NAMES).gather(first),
        pl.Series("last_name", LAST_NAMES).gather(last),
    ).with_columns(
        pl.col("first_name").str.to_lowercase().alias("_first"),
        pl.col("number").cast(pl.String).str.zfill(8).alias("_digits"),
    )
    digits = pl.col("_digits")
    texts = made.select(
        pl.concat_str("_first", pl.lit("."), "number", pl.lit("@example.com")).alias("email"),
        pl.concat_str(pl.lit("new."), "_first", pl.lit("."), "number", pl.lit("@example.com")).alias("new_email"),
        pl.concat_str(pl.lit("C"), digits).alias("account"),
        pl.concat_str(pl.lit("M-"), digits).alias("marketplace"),
        pl.concat_str(pl.lit("+102"), digits).alias("phone"),
        pl.concat_str(
            *(pl.lit("+1 02"), digits.str.slice(0, 1), pl.lit(" ")),
            *(digits.str.slice(1, 3), pl.lit("-"), digits.str.slice(4)),
        ).alias("phone_in_store"),
        "first_name",
        "last_name",
    )  # fmt: skip
    return Names(**{column.name: column for column in texts})


def channels(people: People, who: Ints, is_first: Flags, generator: np.random.Generator) -> Ints:
    """Draw the channel of each order; the first is always placed in the main one."""
    shares = np.cumsum(CHANNEL_SHARES, axis=1)[people.main_channel[who]]
    drawn = (generator.random(len(who))[:, None] > shares[:, :-1]).sum(axis=1)
    return np.where(is_first, people.main_channel[who], drawn)


def is_named(people: People, who: Ints, channel: Ints) -> Flags:
    """Whether an order bears anything that names its buyer: a store knows only who gives a phone number."""
    return (channel != STORE) | people.gives_phone_in_store[who]


def is_linked(people: People, who: Ints, channel: Ints) -> Flags:
    """Whether an order leads to the person's e-mail address: on the web always, else by the phone number."""
    by_phone = people.gives_phone_on_web[who] & is_named(people, who, channel)
    return (channel == WEB) | by_phone
