"""Notebooks as assets: each is one of its own, made on the finished snapshot of its day; one that fails fails alone.

Together they are one step of the job ``notebooks``, so that two run at a time. How they are run and what is kept is
said in `pipelines.notebooks`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import dagster as dg

from pipelines.assets.build import Overrides, lock_name, partitions
from pipelines.lake import Lake, find_lake_folder
from pipelines.notebooks.files import asset_name, notebooks_of
from pipelines.notebooks.kept import Outcome
from pipelines.notebooks.night import run_notebooks
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot

GROUP = "notebooks"


def notebook_assets(shop: Shop, overrides: Overrides) -> dg.AssetsDefinition | None:
    """One asset a notebook; None where there is no notebook."""
    notebooks = notebooks_of(shop)
    if not notebooks:
        return None

    @dg.multi_asset(
        name=f"{shop.name}__run_notebooks",
        specs=[_spec(shop, name, path) for name, path in notebooks.items()],
        can_subset=True,
        required_resource_keys={lock_name(shop)},
        partitions_def=partitions(shop),
    )
    def _notebooks(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        lake = Lake.make(overrides.lake or find_lake_folder(shop.name), shop.name)
        asked = {
            name: path for name, path in notebooks.items() if _key(shop, name) in context.selected_asset_keys
        }
        snapshot = newest_snapshot(lake, date.fromisoformat(context.partition_key))
        outcomes, _ = run_notebooks(shop, lake, snapshot, asked, overrides.reporter)
        yield from (_result(shop, outcome) for outcome in outcomes if outcome.error is None)
        if failed := [outcome for outcome in outcomes if outcome.error is not None]:
            raise dg.Failure(_told(failed), allow_retries=False)

    return _notebooks


def keys_of_notebooks(shop: Shop, notebooks: Mapping[str, Path]) -> list[dg.AssetKey]:
    """The notebooks' keys among the assets."""
    return [_key(shop, name) for name in notebooks]


def _key(shop: Shop, name: str) -> dg.AssetKey:
    return dg.AssetKey([shop.name, asset_name(name)])


def _spec(shop: Shop, name: str, path: Path) -> dg.AssetSpec:
    return dg.AssetSpec(
        _key(shop, name),
        deps=[dg.AssetKey([shop.name, "snapshots"])],
        group_name=GROUP,
        description=f"The notebook {path.name}, run on the day's finished tables and kept as a page.",
        kinds={"jupyter"},
    )


def _result(shop: Shop, outcome: Outcome) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        asset_key=_key(shop, outcome.name),
        metadata={
            "page": dg.MetadataValue.path(str(outcome.page)),
            "seconds": outcome.seconds,
            "was_unchanged": outcome.was_unchanged,
        },
    )


def _told(failed: list[Outcome]) -> str:
    lines = [f"{one.name} failed: {one.error}. As far as it got: {one.page}" for one in failed]
    return "\n".join(
        [*lines, "Open it with `retention lab`; the finished run and the other notebooks stand."]
    )
