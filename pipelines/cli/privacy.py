"""`retention export-person` and `erase-person`: what a person may ask of the shop."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app
from pipelines.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.lake import Lake
    from pipelines.privacy.erasure import Erasure
    from pipelines.privacy.journal import Journal
    from pipelines.shop import Shop

WhoArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHO",
        help="E-mail address, phone number with country code, customer number (17, or till:17), or customer key.",
    ),
]


@app.command(
    "export-person",
    epilog="Example: retention export-person anna@example.org --to out/",
)
def export_person(
    who: WhoArgument,
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")] = Path(),
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write down everything that is held of one person: a JSON file, and a page to read."""
    from pipelines.privacy import export

    opened, found = _open(shop, lake)
    held = export.export_person(found, opened, who, datetime.now(UTC))
    members = held["tables"].get("list_members", {}).get("rows", [])
    held["handed_out"] = _handed_out(
        found, {row["list_id"] for row in members if row["assignment"] == "deliver"}
    )
    if as_json:
        typer.echo(export.as_json(held))
        return
    name = f"person-{held['person']['customer_keys'][0][:8]}"
    for suffix, text in ((".json", export.as_json(held)), (".html", export.as_page(held))):
        typer.echo(str(_write(to / f"{name}{suffix}", text)))
    rows = sum(len(told["rows"]) for told in held["tables"].values())
    delivered = sum(len(file["rows"]) for file in held["delivered_files"])
    typer.echo(f"{rows:,} rows of {len(held['tables'])} tables, {delivered:,} rows of kept deliveries")
    _tell_handed_out(held["handed_out"], to_stderr=False)


@app.command(
    "erase-person",
    epilog="Example: retention erase-person anna@example.org --dry-run, then the same without --dry-run",
)
def erase_person(
    who: WhoArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase one person everywhere, old versions and kept files too, and keep them out of what is delivered next.

    Files in the shop's own folders are not the lab's: delete the person where they come from.
    """
    from pipelines.privacy.erasure import prepare, unfinished

    opened, found = _open(shop, lake)
    with found.lock("retention erase-person"):
        broken_off = unfinished(found)
        if broken_off and not dry_run:
            typer.echo("An erasure was broken off. It is taken to its end first.", err=True)
            _erase(found, opened, broken_off, as_json)
        try:
            journal = prepare(found, opened, who)
        except LabError as error:
            if broken_off and not dry_run:  # it was the same person
                typer.echo(str(error), err=True)
                return
            raise
        taken = _handed_out(found, journal.lists)
        if not as_json or not yes:
            _tell(journal, to_stderr=as_json)
            _tell_handed_out(taken, to_stderr=as_json)
        if dry_run:
            if as_json:
                told = {"rows": journal.rows, "delivered_rows": journal.delivered_rows, "handed_out": taken}
                typer.echo(json.dumps(told, default=str))
            return
        if not yes:
            typer.confirm("Erase all of it? It cannot be brought back.", abort=True, err=True)
        _erase(found, opened, journal, as_json)


def _open(shop: str, lake: Path | None) -> "tuple[Shop, Lake]":
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.shop import Shop

    opened = Shop.open(shop)
    return opened, Lake.open(find_lake_folder(opened.name, lake), opened.name)


def _erase(lake: "Lake", shop: "Shop", journal: "Journal", as_json: bool) -> None:
    from pipelines.privacy.erasure import erase

    done = erase(lake, shop, journal, datetime.now(UTC), _show if sys.stderr.isatty() else lambda _: None)
    if as_json:
        typer.echo(json.dumps(_as_json(done)))
    else:
        typer.echo(
            f"Erased: {sum(done.rows.values()):,} rows of {len(done.rows)} tables, {done.delivered_rows:,} rows of "
            f"kept deliveries, {done.files:,} files changed or removed."
        )
        if done.lists:
            typer.echo(
                f"Lists that lack the person now: {len(done.lists):,}. Files cannot be rebuilt byte for byte."
            )
    searched = done.searched
    if searched.places:
        places = "\n".join(f"  {path}" for path in searched.places)
        raise LabError(
            f"Searched {searched.files:,} files, {searched.bytes:,} bytes: the person, or somebody of the same name, "
            f"is still named in\n{places}\nLook into them and delete what is left."
        )
    if not as_json:
        typer.echo(f"Searched {searched.files:,} files, {searched.bytes:,} bytes: nothing found.")
        typer.echo("`retention run` makes totals and lists anew without the person.")


def _show(step: str) -> None:
    typer.echo(f"{step} ...", err=True)


def _as_json(done: "Erasure") -> dict[str, object]:
    return {
        "erasure_id": done.erasure_id,
        "rows": done.rows,
        "delivered_rows": done.delivered_rows,
        "files": done.files,
        "lists": done.lists,
        "searched_files": done.searched.files,
        "searched_bytes": done.searched.bytes,
        "still_named_in": [str(path) for path in done.searched.places],
    }


def _tell(journal: "Journal", *, to_stderr: bool) -> None:
    """Say what was found: counts, never values."""
    for name, rows in sorted(journal.rows.items()):
        typer.echo(f"{name}: {rows:,} rows", err=to_stderr)
    typer.echo(f"kept deliveries: {journal.delivered_rows:,} rows", err=to_stderr)
    typer.echo(f"lists: {len(journal.lists):,}", err=to_stderr)


def _handed_out(lake: "Lake", list_ids: "Collection[str]") -> list[dict[str, Any]]:
    from pipelines.records.handed_out import handed_out
    from pipelines.records.ledger import Ledger

    entries, _ = Ledger.read(lake.root)
    return handed_out(entries, list_ids)


def _tell_handed_out(taken: list[dict[str, Any]], *, to_stderr: bool) -> None:
    """Say which files left the lab with a list that the person was on: nothing here can take them back."""
    if taken:
        typer.echo(
            "Taken from the lab with a list that the person was on; see to it there too:", err=to_stderr
        )
    for one in taken:
        typer.echo(
            f"  {one['list_id']} for {one['platform']}, {one['taken_at']:%Y-%m-%d %H:%M} UTC, by {one['by']}",
            err=to_stderr,
        )


def _write(path: Path, text: str) -> Path:
    """Write a file that only its owner can read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError as error:
        raise LabError(
            f"{path} cannot be written: {error.strerror}. Name another folder with --to."
        ) from error
    return path
