"""The records database: where it is, how it is opened, how its ledger is kept from being changed.

SQLite beside the lake's tables, or what $RETENTION_DATABASE names. What is asked of it stands in `ledger`, `users`,
`sessions`, `tokens` and `throttle`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from pipelines.errors import LabError
from pipelines.records.append_only import guard_ledger
from pipelines.records.earlier import carry_over
from pipelines.records.tables import about, metadata

VARIABLE = "RETENTION_DATABASE"
FILE = "ledger.sqlite"
BUSY_SECONDS = 20
"""How long a writer waits for another."""
_MAKING = 5_021_406_183
"""Key of the lock that PostgreSQL holds while the tables are made; any number nobody else uses."""


class RecordsError(LabError):
    """The records database cannot be used, or what was asked of it cannot be done."""


def database_url(lake_root: Path) -> URL:
    """Say where the records of a lake lie.

    Raises
    ------
    RecordsError
        $RETENTION_DATABASE is no URL of a database that is known here.
    """
    asked = os.environ.get(VARIABLE)
    if not asked:
        return URL.create("sqlite", database=str(lake_root / FILE))
    try:
        url = make_url(asked)
    except ArgumentError:  # the message would repeat the URL, and with it the password
        raise RecordsError(_WRONG_URL) from None
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+pg8000")
    if url.drivername not in ("sqlite", "postgresql+pg8000"):
        raise RecordsError(_WRONG_URL)
    return url


_WRONG_URL = (
    f"${VARIABLE} is not the URL of a database. Write sqlite:////folder/file.sqlite or "
    "postgresql://user:password@host:port/database, or unset it for a file in the lake."
)


def is_begun(lake_root: Path) -> bool:
    """Whether there may be records: who only reads need not make a file for none."""
    url = database_url(lake_root)
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def open_database(lake_root: Path, *, stays_open: bool = False) -> Engine:
    """Open the records of a lake, making their tables where there are none yet.

    Parameters
    ----------
    stays_open
        Keep connections for the next use, as a server does; else each is closed after its use.

    Raises
    ------
    RecordsError
        The database cannot be reached, or it holds another shop's records.
    """
    url = database_url(lake_root)
    pool: dict[str, Any] = {"pool_size": 10, "max_overflow": 40} if stays_open else {"poolclass": NullPool}
    engine: Engine | None = None
    try:
        is_file = url.get_backend_name() == "sqlite"
        engine = _file_engine(url, pool) if is_file else create_engine(url, pool_pre_ping=stays_open, **pool)
        with writing(engine) as connection:
            _make_tables(connection)
            _check_owner(connection, lake_root)
    except (DatabaseError, InterfaceError, NoSuchModuleError, OSError) as error:
        where = url.render_as_string(hide_password=True)
        raise RecordsError(
            f"The records database {where} cannot be opened ({type(error).__name__}). Is it running, and may this "
            f"user write to it? ${VARIABLE} names another."
        ) from error
    except RecordsError:
        if engine is not None:
            engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Look something up; writers are not held up."""
    with engine.connect().execution_options(reads=True) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Write in one transaction."""
    with engine.begin() as connection:
        yield connection


def _file_engine(url: URL, pool: dict[str, Any]) -> Engine:
    if url.database:
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **pool)

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # Transactions are begun by the listener below; the driver's own way begins them too late.
        connection.isolation_level = None
        for statement in (
            f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA foreign_keys = ON",
        ):
            connection.execute(statement).close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # A reader that turns writer half-way cannot wait for another: writers say so at once.
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _make_tables(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MAKING})
    is_new = not inspect(connection).has_table("download_ledger")
    metadata.create_all(connection)
    if is_new:
        carry_over(connection)
        guard_ledger(connection)


def _check_owner(connection: Connection, lake_root: Path) -> None:
    try:
        shop = json.loads((lake_root / "lake.json").read_text(encoding="utf-8"))["shop"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    owner = connection.execute(select(about.c.shop)).scalar()
    if owner is None:
        connection.execute(insert(about).values(shop=shop))
    elif owner != shop:
        raise RecordsError(
            f"The records database holds the records of shop {owner!r}, not of {shop!r}. Give each shop a database of "
            f"its own in ${VARIABLE}."
        )
