"""What tests of the portal share: a page that listens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.portal.running_page import RunningPage, running_page
from tests.pipelines.published_shops import Published


@pytest.fixture
def page(published_small_shop: Published, tmp_path: Path) -> Iterator[RunningPage]:
    """The page of the composed shop: mark its tests with xdist_group("published_small_shop")."""
    with running_page(published_small_shop, tmp_path) as running:
        yield running
