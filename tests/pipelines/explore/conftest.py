"""What the tests of exploring share: a lake with two finished runs, of two days."""

from datetime import timedelta

import pytest

from tests.pipelines.published_shops import NIGHT, Published, copy_of, publish


@pytest.fixture(scope="session")
def two_nights(published_small_shop: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The small shop, published once more as it was 30 days before: for xdist_group("published_small_shop")."""
    copy = copy_of(published_small_shop, tmp_path_factory.mktemp("two_nights"))
    publish(copy.shop, copy.lake, copy.snapshot.as_of - timedelta(days=30), NIGHT + timedelta(days=1))
    return copy
