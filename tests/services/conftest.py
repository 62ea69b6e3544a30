"""What tests with real servers and browsers share: one published lake of the bundled shop, and free ports."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

RETENTION = str(Path(sys.executable).with_name("retention"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the bundled shop after `retention run`."""
    lake = tmp_path_factory.mktemp("published") / "lake"
    subprocess.run([RETENTION, "run", "--lake", str(lake)], check=True, capture_output=True)
    return lake


@pytest.fixture
def port() -> int:
    """A port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
