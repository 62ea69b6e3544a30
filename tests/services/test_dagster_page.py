"""`retention dev`: Dagster's page on this code location, with the assets, checks and schedule of a published shop."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.conftest import RETENTION

pytestmark = pytest.mark.services
START_SECONDS = 120


@pytest.fixture
def page(published: Path, port: int, tmp_path: Path) -> Iterator[str]:
    """The address of a running page; the processes end with the test."""
    log = (tmp_path / "dev.log").open("wb")
    command = [RETENTION, "dev", "--lake", str(published), "--port", str(port)]
    server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, tmp_path / "dev.log")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)
        log.close()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise AssertionError(f"no answer within {START_SECONDS} s:\n{log.read_text()}")


def _ask(address: str, query: str) -> Any:
    request = urllib.request.Request(
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["data"]


def test_the_page_shows_assets_checks_and_schedule(page: str) -> None:
    nodes = _ask(
        page,
        """{ assetNodes { assetKey { path } groupName isPartitioned description
             assetMaterializations(limit: 1) { metadataEntries { label } }
             assetChecksOrError { ... on AssetChecks { checks { name
               executionForLatestMaterialization { status } } } } } }""",
    )["assetNodes"]
    by_table = {node["assetKey"]["path"][1]: node for node in nodes}
    assert {node["assetKey"]["path"][0] for node in nodes} == {"uk_gift_shop"}
    assert {"raw_orders", "orders", "cohort_retention", "campaign_lists", "snapshots"} <= set(by_table)
    assert by_table["cohort_retention"]["isPartitioned"] and not by_table["orders"]["isPartitioned"]
    labels = {
        entry["label"]
        for entry in by_table["cohort_retention"]["assetMaterializations"][0]["metadataEntries"]
    }
    assert {"dagster/row_count", "preview", "picture"} <= labels
    checks = {check["name"]: check for check in by_table["deliveries"]["assetChecksOrError"]["checks"]}
    assert checks["nothing_is_lost"]["executionForLatestMaterialization"]["status"] == "SUCCEEDED"
    schedules = _ask(
        page,
        """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { name executionTimezone }
             jobs { name } } } } }""",
    )["repositoriesOrError"]["nodes"][0]
    assert schedules["schedules"] == [{"name": "uk_gift_shop__nightly", "executionTimezone": "Europe/London"}]
    assert {"uk_gift_shop__ingest", "uk_gift_shop__publish"} <= {job["name"] for job in schedules["jobs"]}
