"""`retention portal` and `retention users`: the page that marketing downloads lists from, and who may sign in."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app

if TYPE_CHECKING:
    from sqlalchemy import Engine

users_app = typer.Typer(
    no_args_is_help=True,
    help="Who may sign in to the page, and in which role.",
    epilog="Example: retention users add anna --role marketer --generate",
)
app.add_typer(users_app, name="users")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
GenerateOption = Annotated[bool, typer.Option("--generate", help="Make a password up and show it once.")]


@app.command("portal", epilog="Example: retention portal --shop uk_gift_shop --port 8000")
def portal(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8000,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Name that browsers call the page by; may be repeated.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key (PEM).")] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A server in front of this one speaks TLS.")
    ] = False,
) -> None:
    """Serve the page that marketing downloads lists from, on this machine unless told otherwise."""
    from pipelines.lab import Lab
    from pipelines.portal.app import LOOPBACK, build_app
    from pipelines.portal.first_admin import FirstAdmin
    from pipelines.portal.server import Place, serve
    from pipelines.records.database import open_database
    from pipelines.records.users import Users

    place = Place(host, port, tls_cert, tls_key, behind_tls)
    place.check()
    lab = Lab.open(shop=shop, lake=lake)
    engine = open_database(lab.lake.root, stays_open=True)
    typer.echo(f"The lists of {lab.shop.title}: {place.address}")
    invitation = None
    if Users(engine).are_none():
        if place.is_this_machine and not behind_tls:
            invitation, code = FirstAdmin.invite(datetime.now(UTC))
            typer.echo(
                f"No users yet. Make the first admin here, within the hour: {place.address}/first-admin?code={code}"
            )
        else:
            typer.echo("No users yet. Make the first admin with `retention users add NAME --role admin`.")
    sys.stdout.flush()
    page = build_app(
        lab.shop,
        lab.lake,
        engine,
        is_behind_tls=place.is_encrypted,
        hosts=(*LOOPBACK, f"[{host}]" if ":" in host else host, *(name or ())),
        first_admin=invitation,
    )
    serve(page, place)


@users_app.command("add", epilog="Example: retention users add ann --role marketer --generate")
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="viewer: counts; marketer: downloads; admin: users.")],
    generate: GenerateOption = False,
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Add a user. The password is asked for, read from standard input, or made up with --generate."""
    from pipelines.records.users import Users, role_of

    users = Users(_records(shop, lake))
    password = _password(generate)
    added = users.add(name, role_of(role), password, datetime.now(UTC))
    typer.echo(f"Added {added.name} ({added.role.value}).")
    _show(password, generate)


@users_app.command("disable", epilog="Example: retention users disable ann")
def disable(name: NameArgument, shop: ShopOption = DEFAULT_SHOP, lake: LakeOption = None) -> None:
    """Shut a user out at once: sessions end, tokens are revoked."""
    from pipelines.records.users import Users

    user = Users(_records(shop, lake)).disable(name, datetime.now(UTC))
    typer.echo(f"{user.name} is disabled, signed out everywhere, and without tokens.")


@users_app.command("reset", epilog="Example: retention users reset ann --generate")
def reset(
    name: NameArgument,
    generate: GenerateOption = False,
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Give a user a new password; sessions end, tokens are revoked. A disabled user may sign in again."""
    from pipelines.records.users import Users

    users = Users(_records(shop, lake))
    users.find(name)
    password = _password(generate)
    user = users.reset(name, password, datetime.now(UTC))
    typer.echo(f"{user.name} has a new password, is signed out everywhere, and has no tokens.")
    _show(password, generate)


@users_app.command("list", epilog="Example: retention users list --json")
def list_users(shop: ShopOption = DEFAULT_SHOP, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Show who may sign in, and in which role."""
    from pipelines.records.users import Users

    users = Users(_records(shop, lake)).all()
    if as_json:
        rows = [
            {
                "name": user.name,
                "role": user.role.value,
                "created_at": user.created_at,
                "disabled_at": user.disabled_at,
            }
            for user in users
        ]
        typer.echo(json.dumps(rows, indent=1, default=str))
        return
    if not users:
        typer.echo("No users yet. Make the first admin with `retention users add NAME --role admin`.")
    for user in users:
        disabled = f", disabled on {user.disabled_at:%Y-%m-%d}" if user.disabled_at else ""
        typer.echo(f"{user.name}: {user.role.value}, since {user.created_at:%Y-%m-%d}{disabled}")


@users_app.command("token", epilog="Example: retention users token ann --for 'nightly upload'")
def token(
    name: NameArgument,
    purpose: Annotated[str, typer.Option("--for", help="What it is for.")] = "",
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Make a token for a program, with the user's role. It is shown once."""
    from pipelines.records.tokens import Tokens
    from pipelines.records.users import Users

    engine = _records(shop, lake)
    made, secret = Tokens(engine).make(Users(engine).find(name), purpose, datetime.now(UTC))
    typer.echo(f"Token {made.token_id} of {made.user}. It is shown only now:", err=True)
    typer.echo(secret)


@users_app.command("tokens", epilog="Example: retention users tokens")
def tokens(shop: ShopOption = DEFAULT_SHOP, lake: LakeOption = None) -> None:
    """Show the tokens, without their secrets."""
    from pipelines.records.tokens import Tokens

    for made in Tokens(_records(shop, lake)).all():
        state = f"revoked on {made.revoked_at:%Y-%m-%d}" if made.revoked_at else "holds"
        typer.echo(f"{made.token_id} of {made.user}, {made.purpose or 'no purpose told'}: {state}")


@users_app.command("revoke", epilog="Example: retention users revoke TOKEN_ID")
def revoke(
    token_id: Annotated[
        str, typer.Argument(metavar="TOKEN_ID", help="Its id, see `retention users tokens`.")
    ],
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Make a token worthless."""
    from pipelines.records.tokens import Tokens

    Tokens(_records(shop, lake)).revoke(token_id, datetime.now(UTC))
    typer.echo(f"Token {token_id} is revoked.")


def _records(shop: str, lake: Path | None) -> "Engine":
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.records.database import open_database
    from pipelines.shop import Shop

    opened = Shop.open(shop)
    return open_database(Lake.open(find_lake_folder(opened.name, lake), opened.name).root)


def _password(generate: bool) -> str:
    from pipelines.records.passwords import make_password

    if generate:
        return make_password()
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return sys.stdin.readline().rstrip("\r\n")


def _show(password: str, was_generated: bool) -> None:
    if was_generated:
        typer.echo(f"Password, shown only now: {password}")
