"""Notebooks: one that fails is told plainly. What good ones show is tested on the real shop."""

import os
from pathlib import Path

import nbformat
import pytest

from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.step import Moment
from pipelines.errors import LabError
from pipelines.notebooks import execute_notebook
from tests.pipelines.published_shops import NIGHT, Published


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
