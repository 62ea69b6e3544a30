"""Every step of a shop, in the order of the stages."""

from pipelines.assets import (
    backtesting,
    bought_next,
    campaigns,
    champions,
    claims,
    contract,
    drivers,
    experience,
    expiry,
    facts,
    fit_nights,
    fitted_models,
    landing,
    lists,
    model_pictures,
    predictions,
    presentation,
    ready,
    records,
    retention,
    revenue,
    segments,
)
from pipelines.assets.step import Step
from pipelines.shop import Shop


def steps_of(shop: Shop) -> dict[str, Step]:
    """The shop's steps by the table they make."""
    stages = (
        landing,
        contract,
        facts,
        records,
        retention,
        revenue,
        experience,
        bought_next,
        ready,
        fit_nights,
        backtesting,
        fitted_models,
        champions,
        claims,
        model_pictures,
        predictions,
        segments,
        lists,
        campaigns,
        expiry,
        drivers,
        presentation,
    )
    return {step.table: step for stage in stages for step in stage.steps(shop)}
