"""The shop.toml of a simulated shop: complete, with a comment where a real shop would ask why."""

from collections.abc import Iterable

from pipelines.simulate.clock import TIMEZONE, Clock
from pipelines.simulate.order_export import REPLACEMENT
from pipelines.simulate.parameters import CampaignPlan

_HEAD = """\
# A simulated shop: nobody in it exists. How it was made is told in MODEL.md; truth/ holds what no shop could know
# and is never read by a run. Made by: retention simulate --customers {customers} --days {days} --seed {seed}
name = "simulated_shop"
title = "Simulated shop"
sample = true                      # lists neither expire nor go stale
ready_lists = true                 # the lists that come with the program; own ones go into [[lists]]
public_salt = "simulated shop, public sample salt"   # samples only: anybody can redraw its hold-outs
timezone = "{timezone}"          # its clock changes twice a year; exports tell local times
currency = "EUR"
history_start = {first_day}
attribution = "Made by retention simulate; every person and order is made up"
"""
_SOURCE = """
[[sources]]
name = "{table}"
table = "{table}"
format = "parquet"
path = "deliveries/{table}/*.parquet"
[sources.columns]                  # our column = the file's column
{columns}
"""
_REST = """
[orders]
replacement_tags = ["{replacement}"]   # sent free of charge for goods that came back: no orders

[returns]
match_window_days = 90             # a few returns do not say which order they belong to

[identity]
phone_region = "DE"                # where a number without country code would be read

[consent]
when_not_delivered = "deny"        # whoever never said yes is not written to

[campaign_windows]                 # days in which a campaign that was run elsewhere may work
{windows}
"""


def shop_toml(
    customers: int,
    clock: Clock,
    seed: int,
    columns: Iterable[tuple[str, Iterable[str]]],
    campaigns: Iterable[CampaignPlan],
) -> str:
    """Write the settings of a simulated shop.

    Parameters
    ----------
    columns
        Each delivered table with the columns of its files.
    campaigns
        Those that the shop ran.
    """
    head = _HEAD.format(
        customers=customers, days=clock.days, seed=seed, timezone=TIMEZONE, first_day=clock.first_day
    )
    sources = (
        _SOURCE.format(table=table, columns="\n".join(f'{name} = "{name}"' for name in names))
        for table, names in columns
    )
    windows = "\n".join(f"{plan.name} = {plan.window_days}" for plan in campaigns)
    return head + "".join(sources) + _REST.format(replacement=REPLACEMENT, windows=windows)
