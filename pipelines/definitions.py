"""The Dagster code location: every shop's assets, jobs, schedule and checks. Nothing but assembly.

$RETENTION_SHOPS names the shops, separated by commas (names, folders or shop.toml files); by default the bundled one.
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.assets.build import LakeLock, Overrides, asset_of, lock_name
from pipelines.assets.catalogue import steps_of
from pipelines.assets.notebooks import notebook_assets
from pipelines.automation import notebooks_after_publish, publish_after_ingest, schedule_of
from pipelines.lake import find_lake_folder
from pipelines.shop import Shop


def build_defs(
    *, shop: Shop | str | Path = "uk_gift_shop", overrides: Overrides | None = None
) -> dg.Definitions:
    """Definitions of one shop.

    Parameters
    ----------
    shop
        The shop, or where to find it (see `Shop.open`).
    overrides
        What differs from the deployment: lake, progress, lock, clock.
    """
    opened = shop if isinstance(shop, Shop) else Shop.open(shop)
    chosen = overrides or Overrides()
    steps = steps_of(opened)
    assets = {name: asset_of(step, steps, opened, chosen) for name, step in steps.items()}
    ingest = dg.define_asset_job(
        job_name(opened, "ingest"),
        selection=[assets[name] for name, step in steps.items() if step.stage.is_ingest],
        description="Take deliveries in, check them, make facts of them.",
    )
    publish = dg.define_asset_job(
        job_name(opened, "publish"),
        selection=[assets[name] for name, step in steps.items() if not step.stage.is_ingest],
        description="Measure, predict, segment and publish for one day (the partition).",
    )
    notebooks = notebook_assets(opened, chosen)
    lake = chosen.lake or find_lake_folder(opened.name)
    lock = LakeLock(
        shop_folder=str(opened.folder),
        lake=str(lake),
        is_held=chosen.holds_lock,
    )
    made = dg.Definitions(
        assets=list(assets.values()),
        jobs=[ingest, publish],
        schedules=[schedule_of(opened, ingest)],
        sensors=[publish_after_ingest(opened, lake, ingest, publish)],
        resources={lock_name(opened): lock},
        executor=dg.in_process_executor,
    )
    return (
        made if notebooks is None else dg.Definitions.merge(made, _of_notebooks(opened, publish, notebooks))
    )


# The type of what define_asset_job gives is not exported, hence Any.
def _of_notebooks(shop: Shop, publish: Any, assets: dg.AssetsDefinition) -> dg.Definitions:
    job = dg.define_asset_job(
        job_name(shop, "notebooks"),
        selection=[assets],
        description="Run the notebooks on the finished tables of one day (the partition).",
    )
    return dg.Definitions(assets=[assets], jobs=[job], sensors=[notebooks_after_publish(shop, publish, job)])


def job_name(shop: Shop, job: str) -> str:
    """A job's name in the deployment: several shops stand side by side."""
    return f"{shop.name}__{job}"


def shops_of_the_deployment() -> list[str]:
    """The shops that $RETENTION_SHOPS names."""
    named = os.environ.get("RETENTION_SHOPS", "uk_gift_shop")
    return [name.strip() for name in named.split(",") if name.strip()]


def defs() -> dg.Definitions:
    """Definitions of every shop of the deployment; what workspace.yaml loads."""
    return dg.Definitions.merge(*(build_defs(shop=name) for name in shops_of_the_deployment()))
