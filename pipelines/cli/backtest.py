"""`retention backtest`: how well each model would have foretold what customers then did, on the tables of a lake."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app

if TYPE_CHECKING:
    from models.backtest import BacktestResult

SHOWN = {
    "value": ("normalised_gini", "bias", "rmse", "spearman", "top_decile_share"),
    "probability": ("log_loss", "bias", "auc", "brier", "ece"),
}
"""Metrics of the table on a terminal, the deciding one first."""


@app.command("backtest", epilog="Example: retention backtest --shop uk_gift_shop --horizon 90")
def backtest_command(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Last day included. Default: the newest run's."),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon", min=1, help="Days to foretell. Default: a quarter of the history, at most 365."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the shop back in time, let every model predict, and compare with what happened. Changes no table."""
    from rich.console import Console

    from pipelines.explore.own_models import back_test
    from pipelines.lab import Lab

    lab = Lab.open(shop, lake)
    with Console(stderr=True).status("Fitting every model at every origin ..."):
        result = back_test(lab, horizon_days=horizon, as_of=as_of.date() if as_of else None)
    if as_json:
        typer.echo(json.dumps(_facts(result), indent=1, default=str))
    else:
        _show(result)


def _facts(result: "BacktestResult") -> dict[str, Any]:
    return {
        "as_of": result.as_of,
        "horizon_days": result.horizon_days,
        "origins": sorted({row["cut"] for row in result.origins.select("cut").to_dicts()}),
        "metrics": result.metrics.select(
            "quantity", "model", "metric", "value", "low", "high", "n"
        ).to_dicts(),
        "champions": _champions(result),
        "left_out": result.candidates.filter(~result.candidates["took_part"]).to_dicts(),
    }


def _champions(result: "BacktestResult") -> dict[str, str]:
    nobody = "No model can be chosen: nobody ordered in the days foretold."
    return dict.fromkeys(SHOWN, nobody) | dict(result.champions.select("quantity", "reason").iter_rows())


def _show(result: "BacktestResult") -> None:
    from rich.console import Console
    from rich.table import Table

    # Wide enough for the widest table, so that a pipe gets whole lines.
    console = Console(width=max(Console().width, 110), highlight=False)
    origins, n = result.metrics.select("origins", "n").row(0)
    typer.echo(
        f"{result.horizon_days} days foretold at {origins} origin(s), the newest {result.cut}; n = {n:,}, "
        "counting a customer once for each origin. Intervals: 95 %."
    )
    for quantity, metrics in SHOWN.items():
        table = Table("model", *metrics, title=quantity, title_justify="left")
        rows = result.metrics.filter(quantity=quantity)
        for model in rows["model"].unique(maintain_order=True):
            own = {row["metric"]: row for row in rows.filter(model=model).to_dicts()}
            deciding = _number(own[metrics[0]], with_interval=True)
            table.add_row(model, deciding, *(_number(own[metric]) for metric in metrics[1:]))
        console.print(table)
    for row in result.candidates.filter(~result.candidates["took_part"]).to_dicts():
        typer.echo(f"{row['model']} took no part at {row['cut']}: {row['notes']}")
    for quantity, reason in _champions(result).items():
        typer.echo(f"Champion for {quantity}: {reason}")


def _number(row: dict[str, Any], *, with_interval: bool = False) -> str:
    if row["value"] is None:
        return "-"
    digits = 0 if row["metric"] == "rmse" else 3
    told = f"{row['value']:,.{digits}f}"
    if with_interval and row["low"] is not None:
        told += f" ({row['low']:.{digits}f} to {row['high']:.{digits}f})"
    return told
