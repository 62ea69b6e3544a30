"""The gate: who of a shop's customers ends up on a list, step by step, every step counted.

The order is fixed: suppressed, not eligible, no consent, open case, frequency cap, hold-out, undeliverable. Each
person leaves at the first step that stops them, so the counts add up to everyone; who is drawn for the hold-out and has
no address is counted as without one, so that both groups are people who can be reached. Consent and suppression come
from tables alone: no setting of a list can let an objecting person through. What the steps look at is gathered by
`pipelines.delivery.population`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from models.holdout import assign, campaign_name
from pipelines.delivery.causes import DELIVERABLE, PASSES, STEP_OF, STEPS
from pipelines.delivery.population import CHANNELS_WITH_CAP, cap_of
from pipelines.delivery.rules import ROW, answers, bought_asked, columns_asked, positions
from pipelines.shop import SegmentList, Shop

_CAUSE: Final = pl.Enum(list(STEP_OF))
_ANSWER, _TONIGHT, _TAKEN = "_answer", "_tonight", "_taken"


@dataclass(frozen=True, slots=True)
class Gated:
    """A list after the gate.

    Attributes
    ----------
    people
        One row per customer: customer_key, because (a key of `STEP_OF`; null: in the file), is_null_decided.
    members
        Who was chosen, delivered or held out, in the list's order: customer_key, position from 1, is_held_out,
        is_null_decided.
    """

    people: pl.DataFrame
    members: pl.DataFrame

    @property
    def stops(self) -> pl.DataFrame:
        """Count by step and cause: position, step, because, customers, null_decided; the last are those in the file."""
        steps = pl.DataFrame(
            {
                "because": [*STEP_OF, PASSES],
                "step": [*STEP_OF.values(), DELIVERABLE],
            }
        )
        order = pl.DataFrame({"step": [*STEPS, DELIVERABLE]}).with_row_index("position", offset=1)
        return (
            self.people.group_by("because")
            .agg(
                pl.len().cast(pl.Int64).alias("customers"),
                pl.col("is_null_decided").sum().cast(pl.Int64).alias("null_decided"),
            )
            .with_columns(pl.col("because").cast(pl.String).fill_null(PASSES))
            .join(steps, on="because")
            .join(order, on="step")
            .select(pl.col("position").cast(pl.Int32), "step", "because", "customers", "null_decided")
            .sort("position", "because")
        )

    def count(self, step: str) -> int:
        """Customers who were stopped by a step; of "deliverable", who passed all."""
        return int(self.stops.filter(step=step)["customers"].sum())


def pass_gates(
    people: pl.DataFrame, entries: Sequence[SegmentList], shop: Shop, salt: bytes, as_of: date
) -> Iterator[tuple[SegmentList, Gated]]:
    """Put every customer through the gate of each list, in the order of the settings.

    Earlier lists count: being on one is a contact that the frequency cap knows of, and keeps people off later lists of
    the same purpose that say they are exclusive.

    Parameters
    ----------
    people
        As of `pipelines.delivery.population.population`, for these lists.
    """
    tonight = pl.repeat(0, people.height, dtype=pl.Int32, eager=True)
    of_purpose: dict[str, pl.Series] = {}
    for entry in entries:
        nobody = pl.repeat(False, people.height, dtype=pl.Boolean, eager=True)
        taken = of_purpose.get(entry.purpose, nobody)
        gated, is_chosen, is_delivered = pass_gate(people, entry, shop, salt, as_of, tonight, taken)
        of_purpose[entry.purpose] = taken | is_chosen
        if entry.channel in CHANNELS_WITH_CAP:
            tonight = tonight + is_delivered.cast(pl.Int32)
        yield entry, gated


def pass_gate(
    people: pl.DataFrame,
    entry: SegmentList,
    shop: Shop,
    salt: bytes,
    as_of: date,
    tonight: pl.Series,
    taken: pl.Series,
) -> tuple[Gated, pl.Series, pl.Series]:
    """Put everybody through the gate of one list.

    Parameters
    ----------
    tonight
        On how many earlier lists of the night that count for the frequency cap each person is.
    taken
        Who is on an earlier list of the same purpose.

    Returns
    -------
    tuple
        The list, and of everybody whether they are on it, and whether in its file.
    """
    asked = [*columns_asked(entry, "where"), *(what.column for what in bought_asked(entry))]
    answer = answers(people.select(ROW, *asked), entry)
    seen = people.with_columns(answer.alias(_ANSWER), tonight.alias(_TONIGHT), taken.alias(_TAKEN))
    stopped = seen.select(_before_the_limit(entry, shop).alias("because"))["because"]
    passing = people.filter(stopped.is_null())
    ranked = positions(passing.select(ROW, "customer_key", *columns_asked(entry, "order_by")), entry)
    chosen = ranked if entry.limit is None else ranked.head(entry.limit)
    chosen = chosen.join(
        passing.select(ROW, "customer_key", f"reachable:{entry.channel}"), on=ROW, maintain_order="left"
    )
    held_out = assign(
        chosen["customer_key"],
        salt=salt,
        campaign=campaign_name(entry.name, as_of, entry.period),
        share=entry.hold_out,
    )
    reached = pl.col(f"reachable:{entry.channel}")
    # Nobody could have written to them: among the held out they would be compared with people who were reached.
    chosen = chosen.with_columns((held_out & chosen[f"reachable:{entry.channel}"]).alias("is_held_out"))
    later = (
        pl.when("is_held_out").then(pl.lit("lot", _CAUSE)).when(~reached).then(pl.lit("no_address", _CAUSE))
    )
    # Who passed so far and is not among the chosen lies beyond the limit.
    because = stopped.fill_null("limit")
    because = because.scatter(chosen[ROW], chosen.select(later.alias("because"))["because"])
    is_null_decided = answer.is_null().alias("is_null_decided")
    listed = chosen.filter(reached)
    members = listed.select(
        "customer_key",
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"),
        "is_held_out",
        is_null_decided.gather(listed[ROW]),
    )
    gated = Gated(people.select("customer_key", because, is_null_decided), members)
    delivered = listed.filter(~pl.col("is_held_out"))
    return gated, _are(people.height, listed[ROW]), _are(people.height, delivered[ROW])


def _are(height: int, rows: pl.Series) -> pl.Series:
    """Say of every row whether it is one of these."""
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True).scatter(rows, True)


def _before_the_limit(entry: SegmentList, shop: Shop) -> pl.Expr:
    """Say what stops each person before the list's limit and the lot; null: nothing."""
    cap = cap_of(entry, shop)
    is_out = ~pl.col(_ANSWER).fill_null(entry.null_means == "in")
    stop = (
        pl.when(pl.col(f"suppressed:{entry.channel}").is_not_null())
        .then(pl.col(f"suppressed:{entry.channel}").cast(_CAUSE))
        .when(is_out & pl.col(_ANSWER).is_null())
        .then(pl.lit("null", _CAUSE))
        .when(is_out)
        .then(pl.lit("rule", _CAUSE))
    )
    if entry.exclude:
        stop = stop.when(pl.col(f"excluded:{entry.name}")).then(pl.lit("exclusion_file", _CAUSE))
    if entry.exclusive:
        stop = stop.when(pl.col(_TAKEN)).then(pl.lit("other_list", _CAUSE))
    stop = stop.when(pl.col(f"no_consent:{entry.channel}").is_not_null()).then(
        pl.col(f"no_consent:{entry.channel}").cast(_CAUSE)
    )
    if not entry.ignores_open_cases:
        stop = stop.when(pl.col("open_case").is_not_null()).then(pl.col("open_case").cast(_CAUSE))
    if cap:
        times = pl.col(f"contacts:{cap.days}").fill_null(0) + pl.col(_TONIGHT)
        stop = stop.when(times >= cap.times).then(pl.lit("written_to", _CAUSE))
    return stop
