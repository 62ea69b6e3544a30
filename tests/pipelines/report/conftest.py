"""One composed shop and its page, made once: drawing all charts takes seconds."""

import pytest

from pipelines.report.report import render_report
from tests.pipelines.report.composed_tables import AS_OF, Composed, composed, shop


@pytest.fixture(scope="session")
def tables() -> Composed:
    return composed()


@pytest.fixture(scope="session")
def page(tables: Composed) -> str:
    return render_report(tables, shop(), AS_OF, "11 June 2023, 03:00 UTC")
