"""`retention simulate`: write a shop of made-up people whose truth is known."""

import json
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.cli.app import JsonOption, app

if TYPE_CHECKING:
    from pipelines.simulate.simulation import Simulated


@app.command(
    "simulate",
    epilog="Example: retention simulate --customers 20000 --days 730 --seed 1 --out my_simulated_shop",
)
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write the shop to.")],
    customers: Annotated[int, typer.Option("--customers", min=1, help="How many people order.")] = 20_000,
    days: Annotated[
        int, typer.Option("--days", min=1, max=7_300, help="Length of the history; it ends on 2024-12-31.")
    ] = 730,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same tables.")] = 1,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a simulated shop, unless it was changed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a simulated shop: deliveries as a shop exports them, and in truth/ what no shop could know.

    `retention run --shop OUT` takes it as it is. MODEL.md in it tells how everything was drawn.
    """
    started = time.perf_counter()
    from pipelines.simulate.simulation import facts
    from pipelines.simulate.simulation import simulate as make

    console = Console(stderr=True)
    with Progress(
        TextColumn("customers"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("customers", total=customers)
        made = make(
            customers, days, seed, out, force=force, hears=lambda done: progress.update(task, completed=done)
        )
    seconds = time.perf_counter() - started
    typer.echo(
        json.dumps({**facts(made), "seconds": round(seconds, 1)}, indent=1)
        if as_json
        else _told(made, seconds)
    )


def _told(made: "Simulated", seconds: float) -> str:
    rows = "\n".join(f"  {table:<22}{count:>12,}" for table, count in made.rows.items())
    return (
        f"{made.customers:,} made-up people from {made.first_day} to {made.last_day}, seed {made.seed} "
        f"({seconds:.1f} s)\n"
        f"{rows}\n"
        f"  of these broken on purpose {made.dirty_rows:>7,}\n"
        f"What is true of them, and {made.future_purchases:,} purchases of the 365 days after, lies in "
        f"{made.folder / 'truth'}; how it was drawn in {made.folder / 'MODEL.md'}.\n"
        f"Next: retention run --shop {shlex.quote(str(made.folder))}"
    )
