"""A real PostgreSQL server for tests: its own folder, a free port of 127.0.0.1, ended by its own process."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@dataclass(frozen=True)
class Server:
    """A server that is up."""

    address: str

    def run(self, *statements: str) -> None:
        """Carry statements out, each committed by itself."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.address, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server and stop it again."""
    # A short path: a socket's path may have about a hundred letters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    as_other = (
        [] if os.geteuid() else ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    )
    if as_other:  # the server refuses to run as root
        shutil.chown(folder, "nobody")
    data, port = folder / "data", _free_port()
    try:
        _call([*as_other, _program("initdb"), "-D", str(data), "-A", "trust", "-U", "reader", "--no-sync"])
        options = f"-c listen_addresses=127.0.0.1 -p {port} -c fsync=off -k {folder}"
        control = [*as_other, _program("pg_ctl"), "-D", str(data)]
        _call([*control, "-o", options, "-l", str(folder / "log"), "-w", "start"])
        try:
            yield Server(f"postgresql://reader@127.0.0.1:{port}/postgres")
        finally:
            _call([*control, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        (str(place / name) for place in PLACES if (place / name).exists()), None
    )
    assert found, f"{name} is missing: install postgresql (Debian: apt-get install postgresql)"
    return found


def _call(command: list[str]) -> None:
    finished = subprocess.run(
        command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
