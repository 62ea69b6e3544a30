"""The real command in a process of its own, and what a plainly told fault looks like."""

import os
import subprocess
import sys
from pathlib import Path

COMMAND = Path(sys.executable).parent / "retention"
CHANGING = ("RETENTION_SHOP", "RETENTION_LAKE", "RETENTION_SHOPS", "RETENTION_SHOPS_DIR", "RETENTION_KEY")


def retention(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a folder of its own, with nothing set."""
    settings = {name: value for name, value in os.environ.items() if name not in CHANGING}
    return subprocess.run(
        [str(COMMAND), *map(str, words)],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_plain(finished: subprocess.CompletedProcess[str], *told: str) -> None:
    """Exit code 1, nothing on stdout, one message that names what is wrong and what to do."""
    assert finished.returncode == 1, finished.stderr
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr
    assert "unexpected fault" not in finished.stderr
    assert len(finished.stderr.strip().splitlines()) <= 2, finished.stderr
    for words in told:
        assert words in finished.stderr
