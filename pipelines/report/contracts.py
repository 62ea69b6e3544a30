"""The page of contracts as one HTML page: are last night's deliveries right, and if not, what to do.

For the person who runs a shop's data. Counts come from `pipelines.report.intake`, sentences from
`pipelines.report.contract_findings`; here they are laid out. Customers and revenue belong to the report.
"""

from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from pipelines.lake import Lake
from pipelines.lock import write_whole
from pipelines.report import contract_sections as sections
from pipelines.report import words
from pipelines.report.contract_findings import finding, local, local_moment, notices
from pipelines.report.contract_rules import GROUPS, table_of
from pipelines.report.figures.deliveries import conservation_figure
from pipelines.report.intake import Intake, connected_tables, gather
from pipelines.report.shown import shown
from pipelines.report.theme import Look
from pipelines.shop import Shop

FILE_NAME = "contracts.html"
CONTENTS = (
    ("rows", "Where every row went"),
    ("rules", "The rules, table by table"),
    ("sources", "What each source usually brings"),
    ("waiting", "What waits, and how to release it"),
    ("promises", "What each table promises"),
)


def write_contracts_page(lake: Lake, shop: Shop, now: datetime) -> Path:
    """Write the page of what the lake holds now to ``reports/contracts.html``, in place of the one before.

    It is about deliveries, not about a day: a run that stops because a delivery is blocked publishes no report, and
    that is when this page is needed.
    """
    path = lake.root / "reports" / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, contracts_page(gather(lake.scan, shop, now), shop, now))
    return path


def contracts_page(found: Intake, shop: Shop, now: datetime) -> str:
    """Render the page.

    Parameters
    ----------
    found
        The counts.
    shop
        Its title, timezone, sources and contracts.
    now
        When it is made: the time that "late" is measured at.

    Returns
    -------
    str
        The page; the same for the same arguments.
    """
    tables = [table_of(found, shop, name) for name in connected_tables(shop)]
    look = Look(is_titled=False, shop=shop.title, as_of=local(now, shop.zone).date(), currency=shop.currency)
    return _template().render(
        shop=shop,
        made=local_moment(now, shop),
        css=Markup(_text("report.css") + _text("contracts.css")),
        contents=CONTENTS,
        groups=GROUPS,
        finding=finding(found, shop),
        notices=notices(found, shop),
        head=sections.head(found, shop, tables),
        conservation=shown("figure-conservation", conservation_figure(found.deliveries.lazy()), look),
        sums=sections.sums(found),
        tables=tables,
        sources=sections.sources(found, shop),
        readings=sections.readings(found, shop),
        waiting=sections.waiting(found, shop),
        waiting_total=int(found.waiting["waiting"].sum()),
    )


def _text(name: str) -> str:
    return files("pipelines.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": words.number, "percent": words.percent, "counted": words.counted}
    return environment.from_string(_text("contracts.html.j2"))
