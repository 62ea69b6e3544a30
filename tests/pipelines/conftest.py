"""What tests of the pipelines share: Great Expectations imported quietly, and one ingest of the real shop."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.assets.step import Outcome
from pipelines.explore.practice import ready_practice
from pipelines.lake import Lake
from pipelines.notebooks.files import Which
from pipelines.run import plan_run, run_shop
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot
from tests.pipelines.published_shops import NIGHT, Published, small_shop
from tests.pipelines.small_shops import NOW, ingest


@pytest.fixture(scope="session")
def great_expectations() -> None:
    """Import it once, without the deprecations that its own dependencies warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as _  # noqa: F401


@dataclass(frozen=True)
class Ingested:
    """A shop after one ingest; copy the lake's folder before writing to it."""

    shop: Shop
    lake: Lake
    outcomes: dict[str, Outcome]


@pytest.fixture(scope="session")
def uk_gift_shop(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Ingested:
    """The bundled shop, taken in once a session: mark its tests with xdist_group("uk_gift_shop")."""
    shop = Shop.open("uk_gift_shop")
    lake = Lake.make(tmp_path_factory.mktemp("uk_gift_shop") / "lake", shop.name)
    return Ingested(shop, lake, ingest(shop, lake, NOW))


@pytest.fixture(scope="session")
def published_small_shop(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Published:
    """A composed shop after one whole run through Dagster: mark its tests with xdist_group("published_small_shop")."""
    folder = tmp_path_factory.mktemp("published_small_shop")
    return _published(small_shop(folder / "shop"), folder / "lake")


@pytest.fixture(scope="session")
def published_uk_gift_shop(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Published:
    """The bundled shop after one whole run through Dagster: mark its tests with xdist_group("uk_gift_shop")."""
    root = tmp_path_factory.mktemp("published_uk_gift_shop") / "lake"
    return _published(Shop.open("uk_gift_shop"), root, Which.FIRST)


@pytest.fixture(scope="session")
def published_practice_shop(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A simulated shop with every table, small, published up to its snapshot: mark with xdist_group("practice_shop").

    Its folder is one that $RETENTION_PRACTICE may name.
    """
    folder = tmp_path_factory.mktemp("practice_shop")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shop, root = ready_practice(folder, customers=1_000, days=500, seed=1)
    lake = Lake.open(root)
    return Published(Shop.open(shop), lake, newest_snapshot(lake))


def _published(shop: Shop, root: Path, notebooks: Which = Which.NONE) -> Published:
    # Dagster, kernels and Great Expectations warn of their own futures; the command ignores warnings as well.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snapshot = run_shop(shop, root, plan_run(shop, root, None, notebooks=notebooks), now=NIGHT)
    return Published(shop, Lake.open(root), snapshot)
