"""Definitions: every shop's assets side by side, checked, described, and silent about people."""

from pathlib import Path

import dagster as dg
import nbformat
import pytest

from pipelines.assets.build import Overrides
from pipelines.assets.catalogue import steps_of
from pipelines.definitions import build_defs, defs, job_name
from pipelines.notebooks.files import asset_name, notebook_files
from pipelines.shop import Shop
from tests.pipelines.small_shops import SETTINGS, write_shop


@pytest.fixture
def two_shops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Shop]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RETENTION_LAKE", raising=False)
    shops = [
        write_shop(tmp_path / name, ["orders"], settings=SETTINGS.replace("small_shop", name))
        for name in ("north", "south")
    ]
    monkeypatch.setenv("RETENTION_SHOPS", f"{tmp_path / 'north'}, {tmp_path / 'south'}")
    return shops


def test_two_shops_load_side_by_side_under_prefixed_names(two_shops: list[Shop]) -> None:
    merged = defs()
    dg.Definitions.validate_loadable(merged)
    graph = merged.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    for shop in two_shops:
        notebooks = {asset_name(path.stem) for path in notebook_files()}
        assert {key.path[1] for key in keys if key.path[0] == shop.name} == {*steps_of(shop), *notebooks}
        for job in ("ingest", "publish", "notebooks"):
            assert merged.resolve_job_def(job_name(shop, job))
    assert {key.path[0] for key in keys} == {"north", "south"}
    assert {schedule.name for schedule in merged.schedules or []} == {"north__nightly", "south__nightly"}


def test_each_notebook_is_an_asset_of_its_own_that_waits_for_the_snapshot(two_shops: list[Shop]) -> None:
    north, _ = two_shops
    (north.folder / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(), north.folder / "notebooks" / "90_our-own.ipynb")
    graph = defs().resolve_asset_graph()
    named = {key for key in graph.get_all_asset_keys() if key.path[1].startswith("notebook_")}
    assert dg.AssetKey(["north", "notebook_90_our_own"]) in named
    assert dg.AssetKey(["south", "notebook_90_our_own"]) not in named
    assert len(named) == 2 * len(notebook_files()) + 1
    for key in named:
        node = graph.get(key)
        assert node.parent_keys == {dg.AssetKey([key.path[0], "snapshots"])}
        assert node.group_name == "notebooks"
        assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)


def test_no_asset_of_a_shop_reads_anothers(two_shops: list[Shop]) -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert {parent.path[0] for parent in graph.get(key).parent_keys} <= {key.path[0]}


def test_ingest_knows_no_day_and_publish_has_one_partition_a_day(
    two_shops: list[Shop], tmp_path: Path
) -> None:
    graph = build_defs(shop=two_shops[0], overrides=Overrides(lake=tmp_path / "lake")).resolve_asset_graph()
    for name, step in steps_of(two_shops[0]).items():
        partitions = graph.get(dg.AssetKey(["north", name])).partitions_def
        assert (partitions is None) == step.stage.is_ingest
        if isinstance(partitions, dg.DailyPartitionsDefinition):
            assert partitions.get_first_partition_key() == "2024-01-01"
            assert partitions.timezone == "Europe/London"


def test_every_table_has_a_check_of_its_key_and_blocks_what_follows(
    two_shops: list[Shop], tmp_path: Path
) -> None:
    graph = build_defs(shop=two_shops[0], overrides=Overrides(lake=tmp_path / "lake")).resolve_asset_graph()
    checks = graph.asset_check_keys
    assert {key.asset_key.path[1] for key in checks if key.name == "key_is_unique"} == set(
        steps_of(two_shops[0])
    )
    assert {key.name for key in checks if key.asset_key.path[1] == "campaign_lists"} == {
        "key_is_unique",
        "gate_adds_up",
    }


def test_loading_makes_no_lake(two_shops: list[Shop], tmp_path: Path) -> None:
    defs()
    assert not (tmp_path / "lake").exists()
