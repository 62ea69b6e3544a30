"""Notebooks: executed without an error, shown on a page that needs nothing from the network."""

import os
import re
from pathlib import Path

import nbformat
import pytest

from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.step import Moment
from pipelines.errors import LabError
from pipelines.notebooks import execute_notebook, notebook_files
from tests.pipelines.published_shops import NIGHT, Published

LOADED = re.compile(
    r"<(?:script|img|iframe|link|source|audio|video)\b[^>]*?\b(?:src|href)=[\"']?(?!data:|#)([^\"'> ]+)", re.I
)
STYLED = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", re.I)


@pytest.mark.xdist_group("uk_gift_shop")
def test_the_real_shops_notebooks_ran_and_load_nothing_from_the_network(
    published_uk_gift_shop: Published,
) -> None:
    lake = published_uk_gift_shop.lake
    made = lake.scan("notebooks").collect()
    assert made["page"].sort().to_list() == [path.stem for path in notebook_files()]
    for name in made["file_name"]:
        page = (lake.root / name).read_text()
        assert LOADED.findall(page) == []
        assert STYLED.findall(page) == []
        assert "Traceback" not in page
    report = (lake.root / lake.scan("reports").collect()["file_name"].item()).read_text()
    assert LOADED.findall(report) == []
    assert STYLED.findall(report) == []


@pytest.mark.filterwarnings("ignore")  # kernels warn of their own futures
@pytest.mark.xdist_group("published_small_shop")
def test_a_cell_that_fails_is_told_with_its_notebook_and_error(
    published_small_shop: Published, tmp_path: Path
) -> None:
    published = published_small_shop
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    path = tmp_path / "01_wrong.ipynb"
    nbformat.write(notebook, path)
    moment = Moment("composed", NIGHT, published.snapshot.as_of)
    given = Given(published.shop, published.lake, moment, steps_of(published.shop))
    before = dict(os.environ)
    with pytest.raises(
        LabError, match=r"Notebook 01_wrong.ipynb failed: ZeroDivisionError: division by zero"
    ):
        execute_notebook(path, given)
    assert dict(os.environ) == before
