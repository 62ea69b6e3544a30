"""Claims 1 and 2: 5 % more retention brings 25 % more profit; 2 % more is worth as much as 10 % less cost.

Nobody can see a shop with more retention beside itself, so this is a simulation: on the purchase model fitted to the
shop's own customers, with its own costs as inputs. It says what more retention would bring if nothing else changed, not
how to get it nor what that costs.

Retention is the mean chance to stay after an order. In the modified BG/NBD model the share of new customers who come
back within any time is proportional to it: 5 % more of the one is 5 % more of the other.

What does not belong here: the simulation (`models.claims._profit_simulation`), its inputs
(`models.claims._profit_inputs`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from models.claims._estimate import Estimate
from models.claims._finding import Claimed, Facts, Finding, Sense, Unit
from models.claims._more_retention import RetentionChange
from models.claims._part import Part, times
from models.claims._profit_inputs import Inputs, NotSimulable, profit_inputs
from models.claims._profit_simulation import (
    COST_CUT,
    Base,
    Simulated,
    equal_change,
    simulate_base,
    simulate_retention,
)
from models.claims._words import percent, signed_percent
from models.purchases import BetaGeo, ModifiedBetaGeo

__all__ = [
    "Base",
    "Inputs",
    "NotSimulable",
    "RetentionChange",
    "Simulated",
    "equal_change",
    "findings",
    "profit_inputs",
    "simulate_base",
    "simulate_retention",
]

MORE_PROFIT = Claimed(low=0.25, high=0.25, sense=Sense.AT_LEAST, unit=Unit.SHARE)
AS_MUCH = Claimed(low=1.0, high=1.0, sense=Sense.AT_LEAST, unit=Unit.TIMES)
_CLAIMED = {1: MORE_PROFIT, 2: AS_MUCH}
_AMOUNT = {1: 0.05, 2: 0.02}
_DRAWS = {"new customers": 200, "customers the shop has": 60}

_NAMES = {ModifiedBetaGeo: "modified BG/NBD", BetaGeo: "BG/NBD"}

Simulation = Callable[..., Simulated]


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Simulate both claims, for new customers over five years and for the customers the shop has over one."""
    inputs = profit_inputs(facts, as_of)
    if isinstance(inputs, NotSimulable):
        return [_untold(claim, inputs) for claim in _CLAIMED]
    simulations: dict[str, Simulation] = {
        "new customers": partial(
            simulate_retention,
            inputs.model,
            inputs.first_spend,
            inputs.repeat_spend,
            margin=inputs.margin,
            fixed_costs=inputs.fixed_costs_a_new_customer,
            acquisition_cost=inputs.acquisition_cost,
            horizon_days=inputs.horizon_days,
            annual_discount=inputs.annual_discount,
        ),
        "customers the shop has": partial(
            simulate_base,
            inputs.model,
            inputs.base,
            margin=inputs.margin,
            fixed_costs=inputs.fixed_costs_of_base,
        ),
    }
    return [
        _finding(claim, group, simulation, inputs, is_points=is_points)
        for claim in _CLAIMED
        for group, simulation in simulations.items()
        for is_points in (False, True)
    ]


def _finding(claim: int, group: str, simulation: Simulation, inputs: Inputs, *, is_points: bool) -> Finding:
    change = RetentionChange(amount=_AMOUNT[claim], is_points=is_points)
    simulated = simulation(change=change, draws=_DRAWS[group])
    part = Part(
        claim=claim,
        part=_name(claim, group, is_points=is_points),
        definition=_definition(claim, group, inputs),
        n_of="customers",
        claimed=_CLAIMED[claim],
    )
    found = simulated.lift if claim == 1 else simulated.worth
    if found is None:
        says = f"At these costs {_of(group)} bring no profit to compare, or cost nothing to cut."
        return part.cannot_tell(inputs.customers, says)
    says = (
        _says_profit(simulated, found, group)
        if claim == 1
        else _says_worth(simulated, found, group, simulation)
    )
    return part.tested(found, inputs.customers, says)


def _name(claim: int, group: str, *, is_points: bool) -> str:
    return f"{group}, {100 * _AMOUNT[claim]:.0f} {'points' if is_points else '%'} more"


def _definition(claim: int, group: str, inputs: Inputs | None) -> str:
    if group == "new customers":
        years = f"{inputs.horizon_days / 365:.3g}" if inputs else "5"
        discount = f"{inputs.annual_discount:.0%}" if inputs else "10%"
        period = f"over {years} years from their first order, repeat orders discounted by {discount} a year"
    else:
        period = "all who ever ordered, over the next 365 days, not discounted"
    compared = (
        "Profit with it over profit without, less one."
        if claim == 1
        else f"The gain in profit with it over the gain from {COST_CUT:.0%} less of all costs at the same orders."
    )
    return (
        f"Simulated on the fitted {_NAMES[type(inputs.model)] if inputs else 'purchase'} model: "
        f"{group}, {period}. More "
        "retention is a higher mean chance to stay after an order (percent of it, or points); how "
        "fast people buy and "
        f"what they spend stay the same, and getting there costs nothing. {compared} Profit is net "
        "revenue times margin "
        "less fixed and acquisition costs. The interval is that of the model's parameters, not of the costs. "
        f"{inputs.costs_said if inputs else ''}"
    ).rstrip()


def _says_profit(simulated: Simulated, found: Estimate, group: str) -> str:
    return (
        f"{_more(simulated)}, profit from {_of(group)} would change by {signed_percent(found)}, where the claim says "
        "+25 %."
    )


def _says_worth(simulated: Simulated, found: Estimate, group: str, simulation: Simulation) -> str:
    needed = equal_change(partial(simulation, draws=0), simulated.stay_before)
    enough = (
        "even with nobody ever leaving it would not be worth as much"
        if needed is None
        else f"it would take {percent(needed)} more to be worth as much"
    )
    return (
        f"{_more(simulated)}, profit from {_of(group)} would gain {times(found)} what 10 % less cost "
        "brings, where the "
        f"claim says as much; {enough}."
    )


def _more(found: Simulated) -> str:
    stay = f"from {found.stay_before:.1%} to {found.stay_after:.1%}".replace("%", " %")
    again = (
        f"new customers who come back within a year from {found.repurchase_before:.1%} to "
        f"{found.repurchase_after:.1%}"
    ).replace("%", " %")
    if found.is_cut:
        return f"If nearly nobody ever left (chance to stay after an order {stay}, which is all there is; {again})"
    return f"If the chance to stay after an order rose {stay} ({again})"


def _of(group: str) -> str:
    return "new customers" if group == "new customers" else "the customers the shop has"


def _untold(claim: int, why: NotSimulable) -> Finding:
    part = Part(
        claim=claim,
        part="simulation",
        definition=_definition(claim, "new customers", None),
        n_of="returning customers",
        claimed=_CLAIMED[claim],
    )
    if why.needs:
        return part.cannot_be_tested(why.says, needs=why.needs)
    return part.cannot_tell(why.returning or 0, why.says)
