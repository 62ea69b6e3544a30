"""`retention status`: what the newest finished run saw and made."""

import json
from datetime import timedelta

import polars as pl
import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app


@app.command("status", epilog="Example: retention status --shop uk_gift_shop --json")
def status(shop: ShopOption = DEFAULT_SHOP, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Say when the shop was last published, for which day, and how fresh its data are."""
    from models.refit import REFIT_DAYS
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    assert lab.snapshot is not None
    (last_order,) = lab.read("orders").filter("is_valid").select(pl.col("order_day").max()).collect().row(0)
    deliveries = lab.read("deliveries").select(pl.len(), pl.col("received_at").max()).collect().row(0)
    fits = lab.read("model_fits").select("fitted_as_of").collect()["fitted_as_of"].to_list()
    facts = {
        "shop": lab.shop.name,
        "lake": str(lab.lake.root),
        "as_of": lab.as_of,
        "finished_at": lab.snapshot.finished_at,
        "snapshot": lab.snapshot.snapshot_id,
        "newest_order": last_order,
        "deliveries": deliveries[0],
        "last_delivery": deliveries[1],
        "models_fitted_as_of": fits[0] if fits else None,
        "lists": lab.read("campaign_lists").collect().height,
        "finished_runs": lab.lake.scan("snapshots").select(pl.len()).collect().item(),
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=1, default=str))
        return
    typer.echo(
        f"{lab.shop.title}: published for {facts['as_of']}, finished {facts['finished_at']:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo(
        f"Newest order {last_order}; {deliveries[0]} deliveries, the last {deliveries[1]:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo(
        f"{facts['lists']} lists; {facts['finished_runs']} finished runs; snapshot {facts['snapshot']}"
    )
    typer.echo(
        f"Models fitted on {fits[0]}, to be fitted again for {fits[0] + timedelta(REFIT_DAYS)} or later"
        if fits
        else "No models are fitted: there is not enough history"
    )
    typer.echo(f"Lake {facts['lake']}")
