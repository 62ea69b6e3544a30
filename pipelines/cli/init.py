"""`retention init`: look at a shop's files and write its shop.toml, every guess with its reason."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.app import JsonOption, app
from pipelines.errors import ShopError

if TYPE_CHECKING:
    from pipelines.connect.connect import Connected
    from pipelines.connect.drafts import Draft


@app.command(
    "init",
    epilog="Example: retention init exports/*.csv surveys/ --out my_shop/shop.toml --timezone Europe/Berlin",
)
def init(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES...", help="Files, folders or patterns of deliveries.")
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write; paths in it are relative to it.")] = Path(
        "shop.toml"
    ),
    name: Annotated[
        str | None,
        typer.Option("--name", help="Short name: small letters, digits, _. Default: the folder's."),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Name for people.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Such as Europe/London. Default: guessed.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Such as GBP. Default: guessed.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take the guesses, or fail with what cannot be told.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at files of orders, returns, surveys ..., guess what they are, and write a commented shop.toml.

    Format, table, columns, timezone, currency and the ways of writing dates and numbers are guessed from names and
    values; of large text files only the head is read to find the columns. Asks only what nothing tells, and only on a
    terminal.
    """
    from pipelines.connect.asking import Wishes
    from pipelines.connect.connect import check_currency, connect
    from pipelines.settings import check_timezone

    _check("--name", name, _check_name)
    _check("--timezone", timezone, check_timezone)
    _check("--currency", currency, check_currency)
    target = out / "shop.toml" if out.is_dir() else out
    if target.exists() and not force:
        raise ShopError(
            f"{target} is there already. Give --force to write over it, or --out for another file."
        )
    is_watched = sys.stderr.isatty()
    ask = Terminal() if is_watched and sys.stdin.isatty() and not yes else None
    made = connect(
        files, target, Wishes(name, title, timezone, currency), ask, _say if is_watched else _be_quiet
    )
    _write(target, made.text)
    typer.echo(json.dumps(_facts(made, target), indent=1, default=str) if as_json else _told(made, target))


class Terminal:
    """Asks on the terminal; see `pipelines.connect.asking.Asker`."""

    def pick(self, question: str, options: Sequence[str]) -> str | None:
        """Show numbered options and let one be chosen."""
        listed = "\n".join(f"  {number}  {option}" for number, option in enumerate(options, start=1))
        typer.echo(f"{question}\n{listed}", err=True)
        answer: int = typer.prompt("Number, or 0 for none of them", type=int, err=True)
        return options[answer - 1] if 1 <= answer <= len(options) else None

    def text(self, question: str, check: Callable[[str], object]) -> str:
        """Ask again until the answer will do."""
        while True:
            answer = str(typer.prompt(question, err=True)).strip()
            try:
                check(answer)
            except ValueError as error:
                typer.echo(str(error), err=True)
            else:
                return answer


def _check(option: str, value: str | None, check: Callable[[str], object]) -> None:
    try:
        if value is not None:
            check(value)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _check_name(value: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError(f"{value!r} is not a name of small letters, digits and _ that begins with a letter")


def _say(message: str) -> None:
    typer.echo(f"... {message}", err=True)


def _be_quiet(message: str) -> None:
    pass


def _write(target: Path, text: str) -> None:
    draft = target.with_name(f".{target.name}.draft")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ShopError(f"{target} cannot be written: {error.strerror or error}.") from error


def _told(made: "Connected", target: Path) -> str:
    shop, history = made.shop, made.history
    lines = [
        f"{shop.title}: {history.lines:,} order lines from {history.first_day} to {history.last_day}",
        f"  timezone {shop.timezone} ({made.timezone.reason or 'as told'})",
        f"  currency {shop.currency} ({made.currency.reason or 'as told'})",
    ]
    for draft in made.drafts:
        lines += ["", *_source_told(draft, made.notes[draft.source.name])]
    if made.left_out:
        lines += ["", "Left out:", *(f"  - {reason}" for reason in made.left_out)]
    lines += ["", *_advice(made), f"Wrote {target}. Read it, correct what is wrong, then:"]
    lines.append(f"  retention run --shop {shlex.quote(str(target))}")
    return "\n".join(lines)


def _source_told(draft: "Draft", notes: Sequence[str]) -> Iterator[str]:
    source, guess = draft.source, draft.guess
    about = "" if all(one.seen.is_whole for one in draft.guesses) else "about "
    files = f" in {len(draft.guesses)} files" if len(draft.guesses) > 1 else ""
    yield f"{source.name}: {source.path}"
    yield f"  {guess.seen.format.title}, {about}{draft.rows:,} rows{files} -> table {source.table}"
    yield from (f"  {ours:<16} = {theirs}{_because(draft, ours)}" for ours, theirs in guess.mapping.items())
    yield from (
        f"  {ours:<16} = {value!r} on every row{_because(draft, ours)}"
        for ours, value in source.values.items()
    )
    settings = {"split_by": source.split_by, "timezone": source.timezone, **source.layout.model_dump()}
    yield from (
        f"  {what}: {value}{_because(draft, what)}" for what, value in settings.items() if value is not None
    )
    if guess.unknown_columns:
        yield f"  not used: {', '.join(guess.unknown_columns)}"
    yield from (f"  ! {note}" for note in notes)


def _because(draft: "Draft", what: str) -> str:
    return f" ({draft.reasons[what]})" if what in draft.reasons else ""


def _advice(made: "Connected") -> Iterator[str]:
    history = made.history
    for prefix in history.prefixes:
        setting, count = (
            ("return_order_ids", prefix.taking_back)
            if prefix.is_return
            else ("adjustment_order_ids", prefix.below_zero)
        )
        what = "take goods back" if prefix.is_return else "have a price below 0"
        orders = f'{count:,} of {prefix.lines:,} lines of orders "{prefix.letters}..."'
        yield f"{orders} {what}: see {setting} under [orders]."
    if history.no_merchandise:
        lines = sum(one.lines for one in history.no_merchandise)
        yield f"{lines:,} order lines look like postage, fees or gift cards: see [orders.kinds]."
    if history.unreadable:
        yield f"{history.unreadable:,} order lines have no time that can be read; a run sets them aside."


def _facts(made: "Connected", target: Path) -> dict[str, Any]:
    shop, history = made.shop, made.history
    return {
        "written": str(target),
        "name": shop.name,
        "title": shop.title,
        "timezone": {"value": shop.timezone, "reason": made.timezone.reason},
        "currency": {"value": shop.currency, "reason": made.currency.reason},
        "history_start": shop.history_start,
        "last_day": history.last_day,
        "order_lines": history.lines,
        "unreadable_order_lines": history.unreadable,
        "sources": [
            {
                **draft.source.model_dump(exclude_none=True),
                "columns": draft.guess.mapping,
                "files": [str(path) for path in draft.paths],
                "rows": draft.rows,
                "rows_are_counted": all(one.seen.is_whole for one in draft.guesses),
                "reasons": draft.reasons,
                "unknown_columns": draft.guess.unknown_columns,
                "notes": made.notes[draft.source.name],
            }
            for draft in made.drafts
        ],
        "left_out": made.left_out,
        "advice": list(_advice(made)),
    }
