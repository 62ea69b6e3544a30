"""Take over the ledger that earlier versions kept in the same file, in a table of another name."""

from datetime import datetime

from sqlalchemy import Connection, insert, inspect, text

from pipelines.records.tables import downloads

EARLIER = "downloads"


def carry_over(connection: Connection) -> None:
    """Copy the downloads of an earlier ledger; what it did not know of them stays null."""
    if not inspect(connection).has_table(EARLIER):
        return
    for row in connection.execute(text(f"SELECT * FROM {EARLIER}")).mappings().all():
        ended = row["finished_at"]
        known = {
            name: row[name] for name in ("download_id", "who", "list_id", "platform", "columns", "dropped")
        }
        connection.execute(
            insert(downloads).values(
                **known,
                started_at=datetime.fromisoformat(row["started_at"]),
                finished_at=datetime.fromisoformat(ended) if ended else None,
                via="command",
                rows=row["rows"] if ended else None,
                sha256=row["sha256"] if ended else None,
            )
        )
