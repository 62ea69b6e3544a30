"""Take deliveries in for show: read and check everything that lies ready in a lake that is thrown away.

What a run would do with them is told; nothing of the shop's own lake is read or written. Showing it on a terminal is
`pipelines.cli.check`'s business.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from data_contracts.dictionary import Privacy, delivered_columns
from data_contracts.suites import rules
from pipelines.assets import contract, landing
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Step
from pipelines.errors import DeliveryError
from pipelines.ingest.landing import land
from pipelines.ingest.quarantine import blocked_deliveries
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.sources.arrivals import Arrival, files_of, look, untaken_files
from pipelines.sources.postgres import extract

SHOWN_VALUE = 60
"""Letters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row that broke a rule.

    Attributes
    ----------
    place
        Where in the file: "line 17".
    value
        What stands there, if the rule looks at one column and that says nothing of a person.
    """

    table: str
    rule: str
    severity: str
    file_name: str
    place: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What taking in what lies ready would come to.

    Attributes
    ----------
    deliveries
        Table ``deliveries``, every delivery as if it came for the first time.
    rules
        Per table and rule: says, severity, checked, failed.
    blocked
        Per blocked delivery and rule: delivery_id, rule, failed, rows.
    examples
        The first rows of each broken rule.
    unreadable
        Files that cannot be taken at all, with the reason.
    untaken
        Files that lie beside those of a source and that no source takes.
    """

    deliveries: pl.DataFrame
    rules: pl.DataFrame
    blocked: pl.DataFrame
    examples: list[Example]
    unreadable: list[str]
    untaken: list[Path]

    @property
    def would_block(self) -> bool:
        """Whether a run would stop before publishing."""
        return bool(self.unreadable) or self.blocked.height > 0


def rehearse(shop: Shop, now: datetime, examples: int = 3) -> Rehearsal:
    """Read and check every delivery that lies ready, as if none had come before.

    Raises
    ------
    ShopError
        A source's mapping names a column that its table does not have.
    """
    with tempfile.TemporaryDirectory(prefix="retention-check-") as folder:
        lake = Lake.make(Path(folder) / "lake", shop.name)
        ready, unreadable = _look_at_all(shop, Path(folder))
        taken = _land(shop, lake, ready, now, unreadable)
        steps = {step.table: step for step in (*contract.steps(shop), *landing.steps(shop))}
        given = Given(shop, lake, Moment("check", now, None), steps)
        for step in _contract_steps(steps):
            carry_out(step, given)
        tables = landing.connected_tables(shop)
        blocked = pl.concat(
            blocked_deliveries(
                lake.scan(f"raw_{table}"), lake.scan(f"{table}_faults"), shop.contracts.block_share
            )
            for table in tables
        )
        return Rehearsal(
            deliveries=lake.scan("deliveries").sort("source", "file_name", "receipt_id").collect(),
            rules=lake.scan("contract_results").collect(),
            blocked=blocked.sort("delivery_id", "rule").collect(),
            examples=[one for table in tables for one in _examples(lake, table, taken, examples)],
            unreadable=unreadable,
            untaken=untaken_files(shop),
        )


def _look_at_all(shop: Shop, folder: Path) -> tuple[list[list[Arrival]], list[str]]:
    """Look at every file, which may hold several deliveries; what cannot be taken is told, and the others go on."""
    ready: list[list[Arrival]] = []
    unreadable: list[str] = []
    for source in shop.sources:
        try:
            files = files_of(shop, source)
            if source.database is not None and (fetched := extract(source, folder / source.name)):
                files = [fetched]
        except DeliveryError as error:
            unreadable.append(str(error))
            continue
        for file in files:
            try:
                ready.append(look(shop, source, file))
            except DeliveryError as error:
                unreadable.append(str(error))
    return ready, unreadable


def _land(
    shop: Shop, lake: Lake, ready: list[list[Arrival]], now: datetime, unreadable: list[str]
) -> Mapping[str, Arrival]:
    """Land file by file, so that one that breaks off takes no other with it; deliveries by id."""
    taken: dict[str, Arrival] = {}
    for arrived in ready:
        if not arrived:
            continue
        table = arrived[0].source.table
        try:
            landed = land(lake, shop, arrived, table, now)
            if landed is not None:
                lake.append(f"raw_{table}", landed.rows, fingerprint=landed.landing_id)
            taken |= {arrival.delivery_id: arrival for arrival in arrived}
        except DeliveryError as error:
            unreadable.append(str(error))
    return taken


def _contract_steps(steps: Mapping[str, Step]) -> list[Step]:
    from graphlib import TopologicalSorter

    wanted = {name: step for name, step in steps.items() if not name.startswith("raw_")}
    order = TopologicalSorter({n: [r for r in step.reads if r in wanted] for n, step in wanted.items()})
    return [wanted[name] for name in order.static_order()]


def _examples(lake: Lake, table: str, taken: Mapping[str, Arrival], count: int) -> list[Example]:
    firsts = (
        lake.scan(f"{table}_faults")
        .sort("delivery_id", "row_number")
        .group_by("rule", maintain_order=True)
        .head(count)
        .collect()
    )
    if firsts.is_empty():
        return []
    rows = (
        lake.scan(f"raw_{table}")
        .join(firsts.lazy().select("delivery_id", "row_number").unique(), on=["delivery_id", "row_number"])
        .collect()
    )
    cells = {(row["delivery_id"], row["row_number"]): row for row in rows.iter_rows(named=True)}
    places = {
        delivery_id: taken[delivery_id].places(numbers["row_number"].unique().to_list())
        for (delivery_id,), numbers in firsts.group_by("delivery_id")
        if delivery_id in taken
    }
    looked_at = {rule.name: _shown_column(table, rule.column) for rule in rules(table)}
    order = {rule.name: position for position, rule in enumerate(rules(table))}
    return [
        Example(
            table=table,
            rule=row["rule"],
            severity=row["severity"],
            file_name=taken[row["delivery_id"]].origin.name,
            place=places[row["delivery_id"]].get(row["row_number"], f"row {row['row_number']}"),
            value=_shown(cells[row["delivery_id"], row["row_number"]], looked_at[row["rule"]]),
        )
        for row in sorted(firsts.iter_rows(named=True), key=lambda row: order[row["rule"]])
        if row["delivery_id"] in taken
    ]


def _shown_column(table: str, looked_at: str) -> str | None:
    """The delivered column that a rule or its flag looks at, if it says nothing of a person."""
    name = looked_at.split("__")[0].removesuffix("_is_past")
    return next(
        (c.name for c in delivered_columns(table) if c.name == name and c.privacy is Privacy.NONE), None
    )


def _shown(row: dict[str, object], column: str | None) -> str | None:
    if column is None:
        return None
    value = row[column]
    return "(blank)" if value is None else str(value)[:SHOWN_VALUE]
