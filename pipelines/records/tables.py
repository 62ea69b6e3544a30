"""The tables of the records database. Which statements run on them is the business of the modules beside this one.

Secrets (session ids, tokens, invitations) are kept as SHA-256 only, passwords as argon2id hashes.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, on databases that know timezones and on those that do not."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write a moment as UTC."""
        if value is None:
            return None
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

about = Table("about", metadata, Column("shop", String(200), primary_key=True))
"""Whose records these are: one row. List ids of two shops may be equal, so each shop has its own database."""

downloads = Table(
    "download_ledger",
    metadata,
    Column("download_id", String(36), primary_key=True),
    Column("started_at", Moment, nullable=False, index=True),
    Column("finished_at", Moment),
    Column("who", Text, nullable=False),
    Column("list_id", Text, nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("columns", Text, nullable=False),
    Column("via", String(20), nullable=False),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    Column("dropped", BigInteger, nullable=False),
    Column("sha256", String(64)),
)

sendings = Table(
    "campaign_sendings",
    metadata,
    Column("note_id", String(36), primary_key=True),
    Column("list_id", Text, nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("sent_on", Date),
    Column("who", Text, nullable=False),
    Column("noted_at", Moment, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("user_id", String(36), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("sign_in_name", String(200), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False, index=True),
    Column("started_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
)

tokens = Table(
    "api_tokens",
    metadata,
    Column("token_id", String(36), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("what", String(72), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)
