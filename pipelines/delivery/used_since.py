"""Campaigns whose lists were used after a run, or on a day that its data do not reach: neither counted nor unused."""

import polars as pl


def with_uses_since(results: pl.DataFrame, lists: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Say so of results that call a campaign unused.

    Parameters
    ----------
    results
        ``campaign_results`` of one as_of.
    lists
        list_id and campaign of ``campaign_lists``.
    used
        Lists that were used by now (`pipelines.delivery.contact_cap.used_lists`).
    """
    first = (
        used.join(lists.select("list_id", "campaign").unique(), on="list_id")
        .group_by("campaign")
        .agg(pl.col("used_on").min().alias("_used_on"))
    )
    since = pl.format(
        "Its list was used on {}. This run knows the days up to {}; a run that knows that day begins to count.",
        pl.col("_used_on").cast(pl.String),
        pl.col("as_of").cast(pl.String),
    )
    is_since = (pl.col("state") == "not_used") & pl.col("_used_on").is_not_null()
    return (
        results.join(first, on="campaign", how="left", maintain_order="left")
        .with_columns(pl.when(is_since).then(since).otherwise("says").alias("says"))
        .drop("_used_on")
    )
