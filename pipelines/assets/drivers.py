"""Drivers: why the members of the day's lists are expected to order or not, in the terms of the published model.

Effects are worked out in `models.drivers`; here they are asked for whoever is on a list, and put into words. A
published baseline has groups of people and no drivers; then there are no rows.
"""

import polars as pl

from data_contracts import table as promise
from models.boosted_trees import BoostedTrees
from models.drivers import GROUPS, purchase_drivers, top, tree_drivers
from models.features import features
from models.prediction import HORIZON_DAYS
from models.summary import customer_summary
from pipelines.assets.fit_nights import dated, empty
from pipelines.assets.fitted_models import PURCHASE_MODELS, grown_trees, purchase_models
from pipelines.assets.given import Given
from pipelines.assets.known import feature_tables, known_now
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop

MOST_VALUES = 3
"""Values of a group of features that are told."""
_NOT_TOLD = ("season", "T")


def steps(shop: Shop) -> list[Step]:
    """One step: the drivers of everybody on a list."""
    return [
        Step(
            table="prediction_drivers",
            stage=Stage.LISTS,
            keeps=Keeps.OTHER_DAYS,
            reads=(
                "list_members",
                "purchases",
                *feature_tables(shop),
                "purchase_models",
                "boosted_models",
                "champions",
            ),
            make=_drivers,
        )
    ]


def _drivers(given: Given) -> pl.LazyFrame:
    champion = dict(given.table("champions").select("quantity", "model").collect().rows()).get("probability")
    members = given.table("list_members").select("customer_key").unique()
    if champion in PURCHASE_MODELS:
        told = _of_purchase_model(given, members, champion)
    elif champion == BoostedTrees.name:
        told = _of_trees(given, members)
    else:
        return empty("prediction_drivers")
    columns = [name for name in promise("prediction_drivers").schema if name != "as_of"]
    return dated(told.with_columns(pl.lit(champion).alias("model")).select(columns), given)


def _of_purchase_model(given: Given, members: pl.LazyFrame, name: str) -> pl.DataFrame:
    everybody = customer_summary(given.table("purchases"), given.as_of).collect()
    chosen = everybody.lazy().join(members, on="customer_key", how="semi").sort("customer_key").collect()
    model = purchase_models(given)[name]
    strongest = top(purchase_drivers(chosen, everybody, model, horizon_days=HORIZON_DAYS))
    silent, orders = pl.col("T") - pl.col("recency"), pl.col("frequency") + 1
    says = {
        "silence": pl.format("last order {} days ago", silent.cast(pl.Int64)),
        "orders": pl.format(
            "{} order {} in {} days",
            orders.cast(pl.Int64),
            pl.when(orders == 1).then(pl.lit("day")).otherwise(pl.lit("days")),
            pl.col("T").cast(pl.Int64),
        ),
    }
    return _in_words(strongest, chosen, says)


def _of_trees(given: Given, members: pl.LazyFrame) -> pl.DataFrame:
    tables = known_now(given).tables
    assert tables is not None, "a run has tables"
    everybody = features(given.as_of, horizon_days=HORIZON_DAYS, **tables).collect()
    chosen = everybody.lazy().join(members, on="customer_key", how="semi").sort("customer_key").collect()
    model = grown_trees(given)[HORIZON_DAYS]
    strongest = top(tree_drivers(chosen, everybody, lambda rows: 1 - model.probability_of_purchase(rows)))
    says = {group: _values([n for n in names if n in chosen.columns]) for group, names in GROUPS.items()}
    return _in_words(strongest, chosen, says)


def _values(names: list[str]) -> pl.Expr:
    """The first values of a group that are known: the number beside the feature's name."""
    told = [name for name in names if not any(part in name for part in _NOT_TOLD)][:MOST_VALUES]
    parts = [
        pl.format("{} {}", pl.lit(name.replace("_", " ")), pl.col(name).cast(pl.String))
        if name.startswith(("channel", "country", "main"))
        else pl.format("{} {}", pl.lit(name.replace("_", " ")), pl.col(name).cast(pl.Float64).round(2))
        for name in told
    ]
    return pl.concat_str(parts, separator=", ", ignore_nulls=True) if parts else pl.lit("")


def _in_words(strongest: pl.DataFrame, people: pl.DataFrame, says: dict[str, pl.Expr]) -> pl.DataFrame:
    words = pl.lit("")
    for driver, told in says.items():
        words = pl.when(pl.col("driver") == driver).then(told).otherwise(words)
    return strongest.join(people, on="customer_key", how="left", maintain_order="left").with_columns(
        words.alias("says")
    )
