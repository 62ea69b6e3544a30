"""A composed shop in which one person stands in every place where a delivery can name somebody.

Everybody here is made up. What `of_anna` deliveries hold beside the others is hers; the shop without them is what the
lab must look like once she is erased.
"""

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts import table
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.small_shops import NOW, as_text, deliver, ingest, order_line, source, write_shop

EMAIL, PHONE, NUMBER = "anna@example.org", "+4915112345678", "10"
TABLES = (
    "customers",
    "returns",
    "reviews",
    "referrals",
    "shipments",
)
TOKENS = (
    "anna@example.org",
    "15112345678",
    "0151 1234 5678",
    "Quendelbäcker",
    "QUENDELBÄCKER",
    "Änne",
    "Zwiebelgasse",
)
"""What would give her away."""
OTHERS = ("joanna@example.org", "anna@example.org.uk", "100")
"""Identifiers of other people of which hers are a part."""


def everything(*, with_anna: bool = True) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Rows by table and file; hers are left out where the shop never knew her."""
    anna: dict[str, Any] = {
        "customer_id": NUMBER,
        "email": "Anna@Example.org",
        "phone": "0151 1234 5678",
        "country": "DE",
    }
    joanna = {"customer_id": "100", "email": "joanna@example.org", "country": "DE"}
    other_anna = {"customer_id": "101", "email": "anna@example.org.uk"}

    def files(**some: list[tuple[bool, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        return {name: [row for hers, row in rows if with_anna or not hers] for name, rows in some.items()}

    hers, theirs = True, False
    return {
        "orders": files(
            first=[
                (hers, order_line("A1", **anna, ship_to_name="Änne Quendelbäcker")),
                (hers, order_line("A1", product_id="CUP", email="anna@example.org")),
                (theirs, order_line("J1", **joanna, ship_to_name="Joanna Quendel")),
                (theirs, order_line("J1", product_id="CUP", **joanna)),
                (theirs, order_line("O1", **other_anna, ordered_at="2024-03-02 12:00:00")),
                (hers, order_line("A9", **anna, ordered_at="never")),
                (theirs, order_line("J9", **joanna, ordered_at="never")),
            ],
            second=[
                (hers, order_line("A1", **anna, ship_to_name="Änne Quendelbäcker")),
                (hers, order_line("A2", customer_id="10", email=None, ordered_at="2024-04-01 12:00:00")),
                (
                    hers,
                    order_line(
                        "A3", customer_id=None, phone="+49 151 12345678", ordered_at="2024-04-02 12:00:00"
                    ),
                ),
                (theirs, order_line("J2", **joanna, ordered_at="2024-04-03 12:00:00")),
                (theirs, order_line("O2", **other_anna, ordered_at="2024-04-04 12:00:00")),
            ],
        ),
        "customers": files(
            first=[
                (
                    hers,
                    {
                        **anna,
                        "first_name": "Änne",
                        "last_name": "Quendelbäcker",
                        "city": "Ulm",
                        "tags": "Zwiebelgasse 7",
                        "created_at": "2024-01-05 09:00:00",
                    },
                ),
                (
                    theirs,
                    {
                        **joanna,
                        "first_name": "Joanna",
                        "last_name": "Quendel",
                        "city": "Ulm",
                        "created_at": "2024-01-06 09:00:00",
                    },
                ),
            ]
        ),
        "returns": files(
            first=[
                (
                    hers,
                    {
                        "return_id": "R1",
                        "order_id": "A1",
                        "product_id": "MUG",
                        "quantity": "1",
                        "amount": "10.00",
                        "returned_at": "2024-03-20 12:00:00",
                    },
                ),
                (
                    theirs,
                    {
                        "return_id": "R2",
                        "order_id": "J1",
                        "customer_id": "100",
                        "product_id": "MUG",
                        "quantity": "1",
                        "amount": "10.00",
                        "returned_at": "2024-03-20 12:00:00",
                    },
                ),
            ]
        ),
        "reviews": files(
            first=[
                (
                    hers,
                    {
                        "review_id": "V1",
                        "email": EMAIL,
                        "product_id": "MUG",
                        "rating": "5",
                        "body": "Call 0151 1234 5678",
                        "written_at": "2024-03-25 10:00:00",
                    },
                ),
                (
                    theirs,
                    {
                        "review_id": "V2",
                        "email": "joanna@example.org",
                        "product_id": "MUG",
                        "rating": "4",
                        "body": "Ask anna@example.org, not joanna@example.org.",
                        "written_at": "2024-03-25 11:00:00",
                    },
                ),
            ]
        ),
        "referrals": files(
            first=[
                (
                    hers,
                    {
                        "referral_id": "F1",
                        "email": EMAIL,
                        "friend_email": "joanna@example.org",
                        "referred_at": "2024-02-01 10:00:00",
                    },
                ),
                (
                    theirs,
                    {
                        "referral_id": "F2",
                        "email": "joanna@example.org",
                        "friend_email": "anna@example.org.uk",
                        "referred_at": "2024-02-02 10:00:00",
                    },
                ),
            ]
        ),
        "shipments": files(
            first=[
                (hers, {"shipment_id": "P1", "order_id": "A1", "shipped_at": "2024-03-02 10:00:00"}),
                (theirs, {"shipment_id": "P2", "order_id": "J1", "shipped_at": "2024-03-02 10:00:00"}),
            ]
        ),
    }


FORMATS = {
    "orders": "csv",
    "customers": "xlsx",
    "reviews": "jsonl",
    "referrals": "parquet",
    "consents": "csv.gz",
}


def composed_shop(folder: Path, deliveries: Mapping[str, Mapping[str, list[dict[str, Any]]]]) -> Shop:
    """Write the shop, each table in a format of its own, with the files of ``deliveries``."""
    wanted = ("orders", *TABLES)
    sources = "".join(
        source(name, file_format=FORMATS.get(name, "csv").removesuffix(".gz"), path=f"deliveries/{name}/*")
        for name in wanted
    )
    shop = write_shop(folder, (), more=sources)
    for name, files in deliveries.items():
        for file_name, rows in files.items():
            put(folder, name, file_name, rows)
    return shop


def put(folder: Path, name: str, file_name: str, rows: list[dict[str, Any]]) -> Path:
    """Deliver a file in the format of its table."""
    kind = FORMATS.get(name, "csv")
    path = folder / "deliveries" / name / f"{file_name}.{kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = as_text(name, rows)
    if kind == "xlsx":
        frame.write_excel(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()), encoding="utf-8")
    elif kind == "parquet":
        frame.write_parquet(path)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(frame.write_csv().encode()))
    else:
        return deliver(folder, name, file_name, rows)
    return path


def taken_in(folder: Path) -> tuple[Shop, Lake]:
    """Make the shop and take its deliveries in, the first files first, so that tables have older versions."""
    deliveries = everything()
    second = deliveries["orders"].pop("second")
    shop = composed_shop(folder / "shop", deliveries)
    lake = Lake.make(folder / "lake", shop.name)
    ingest(shop, lake, NOW)
    put(shop.folder, "orders", "second", second)
    ingest(shop, lake, later(2))
    return shop, lake


def later(day: int) -> datetime:
    """A night after the first."""
    return NOW.replace(day=day)


def rows_of_others(lake: Lake) -> dict[str, pl.DataFrame]:
    """Fact tables as they are compared: without the names of deliveries, sorted."""
    found: dict[str, pl.DataFrame] = {}
    for name in lake.names():
        if not name.startswith(("raw_", "valid_")) and not name.endswith(("_faults", "_quarantine")):
            frame = lake.scan(name).collect()
            found[name] = frame.sort(frame.columns)
    for name in ("deliveries", "contract_results", "erased_identifiers", "erasures"):
        found.pop(name, None)
    return found


def plant(lake: Lake, key: str, other_key: str) -> None:
    """Put her and somebody else into what lies beside the tables, and into tables that publishing writes."""
    people = pl.DataFrame(
        {"customer_key": [key, other_key], "email": ["anna@example.org", "joanna@example.org"]}
    )
    files = lake.root / "files" / "all-2024-05-31"
    files.mkdir(parents=True)
    people.write_parquet(files / "all-2024-05-31.csv.rows.parquet")
    people.select("email").write_csv(files / "all-2024-05-31.csv")
    people.write_parquet(files / "all-2024-05-31.READ-ONLY.xlsx.rows.parquet")
    people.write_excel(files / "all-2024-05-31.READ-ONLY.xlsx")
    pages = lake.root / "notebooks" / "2024-05-31"
    pages.mkdir(parents=True)
    rows = "".join(
        f"<tr><td>{one}</td><td>12.50</td></tr>" for one in (key, "&#196;nne Quendelb&#228;cker", other_key)
    )
    (pages / "1.html").write_text(
        f"<p>2 people</p><p>anna@example.org</p><table>{rows}</table>", encoding="utf-8"
    )
    home = lake.root / ".dagster" / "history"
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "runs.db")) as database:
        database.execute("CREATE TABLE events (id INTEGER, body TEXT)")
        database.execute(
            "INSERT INTO events VALUES (1, ?)", (json.dumps({"who": "Änne Quendelbäcker", "key": key}),)
        )
        database.execute("INSERT INTO events VALUES (2, ?)", (f"gone {EMAIL}",))
        database.execute("DELETE FROM events WHERE id = 2")
        database.commit()
    (lake.root / ".dagster" / "log.gz").write_bytes(gzip.compress(f"looked up {EMAIL}".encode()))
    draft = lake.root / "landed" / "drafts" / "orders"
    draft.mkdir(parents=True, exist_ok=True)
    people.write_parquet(draft / "orders-0-1.parquet")
    for name in ("list_members", "customer_predictions"):
        made = {
            "as_of": [NOW.date()] * 2,
            "list_id": ["all-2024-05-31"] * 2,
            "customer_key": [key, other_key],
        }
        promised = table(name)
        rows_made = pl.DataFrame({one: made[one] for one in promised.schema if one in made})
        blank = [pl.lit(None, kind).alias(one) for one, kind in promised.schema.items() if one not in made]
        frame = rows_made.lazy().with_columns(blank)
        lake.replace(name, frame, fingerprint="planted", as_of=NOW.date())
    versions = dict.fromkeys(lake.names(), 0)
    snapshot = Snapshot("2024-05-31-planted", "planted", NOW.date(), NOW, versions, "settings", "code")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint="planted")


def bytes_under(root: Path) -> dict[str, bytes]:
    """Everything that is in a folder, unpacked: an own, slow and plain way of looking."""
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(root))] = unpacked(path.read_bytes())
    return found


def unpacked(data: bytes) -> bytes:
    """A file's bytes, and beside them what they unpack to."""
    if data.startswith(b"\x1f\x8b"):
        return data + unpacked(gzip.decompress(data))
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return data + b"".join(unpacked(archive.read(name)) for name in archive.namelist())
    if data.startswith(b"PAR1"):
        # Packed pages may hold a part of somebody else's address as it is; the footer is not packed.
        footer = data[-8 - int.from_bytes(data[-8:-4], "little") :]
        return footer + pl.read_parquet(io.BytesIO(data)).write_ndjson().encode()
    return data
