"""The database itself refuses to change or remove what is in the ledger, whoever asks.

A download may be closed, once; a note on a list never changes.
"""

from sqlalchemy import Connection, text

_CLOSED_ONCE = (
    "download_id",
    "started_at",
    "who",
    "list_id",
    "platform",
    "columns",
    "via",
    "dropped",
)
"""Columns of a download that are written at its start; the others are written when it is closed."""


def guard_ledger(connection: Connection) -> None:
    """Put the guards on the ledger's tables."""
    guards = _postgres() if connection.dialect.name == "postgresql" else _sqlite()
    for statement in guards:
        connection.execute(text(statement))


def _changed(new: str = "NEW", old: str = "OLD", differs: str = "IS NOT") -> str:
    kept = " OR ".join(f'{new}."{name}" {differs} {old}."{name}"' for name in _CLOSED_ONCE)
    return f"{old}.finished_at IS NOT NULL OR {new}.finished_at IS NULL OR {kept}"


def _sqlite() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    return [
        f"CREATE TRIGGER downloads_stay BEFORE DELETE ON download_ledger {refuse}",
        f"CREATE TRIGGER downloads_close_once BEFORE UPDATE ON download_ledger WHEN {_changed()} {refuse}",
        f"CREATE TRIGGER sendings_stay BEFORE DELETE ON campaign_sendings {refuse}",
        f"CREATE TRIGGER sendings_hold BEFORE UPDATE ON campaign_sendings {refuse}",
    ]


def _postgres() -> list[str]:
    changed = _changed(differs="IS DISTINCT FROM")
    call = "EXECUTE FUNCTION ledger_is_append_only()"
    return [
        "CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$",
        "CREATE TRIGGER downloads_stay BEFORE DELETE ON download_ledger FOR EACH ROW " + call,
        f"CREATE TRIGGER downloads_close_once BEFORE UPDATE ON download_ledger FOR EACH ROW WHEN ({changed}) {call}",
        "CREATE TRIGGER downloads_empty BEFORE TRUNCATE ON download_ledger FOR EACH STATEMENT " + call,
        "CREATE TRIGGER sendings_hold BEFORE UPDATE OR DELETE ON campaign_sendings FOR EACH ROW " + call,
        "CREATE TRIGGER sendings_empty BEFORE TRUNCATE ON campaign_sendings FOR EACH STATEMENT " + call,
    ]
