"""Templates filled: one environment a shop, since days and money are written as in its country.

What a page tells comes from `pipelines.portal.shelf`; the sentences stand in the templates and in `words`.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from pipelines.errors import LabError
from pipelines.portal.access import csrf_token, current_user
from pipelines.portal.facts import Freshness
from pipelines.portal.pages import words
from pipelines.portal.pages.effects import outcome_name
from pipelines.portal.pages.written import Written
from pipelines.records.users import Role
from pipelines.report.glossary import TERMS
from pipelines.shop import Shop


def render(request: Request, template: str, facts: Mapping[str, Any], status: int = 200) -> Response:
    """Answer with a page; who is signed in, the form token and the state of the data come with it."""
    return HTMLResponse(rendered(request, template, facts), status)


def rendered(request: Request, template: str, facts: Mapping[str, Any]) -> str:
    """Fill a template."""
    shop: Shop = request.app.state.shop
    user = current_user(request)
    known = {
        "shop": shop,
        "user": user,
        "is_marketer": user is not None and user.role.covers(Role.MARKETER),
        "is_admin": user is not None and user.role is Role.ADMIN,
        "form_token": lambda: csrf_token(request),
        "freshness": _freshness(request) if user else None,
        "path": request.url.path,
    }
    return environment(shop).get_template(template).render({**known, **facts})


def environment(shop: Shop) -> jinja2.Environment:
    """The templates of a shop."""
    return _environment(Written.of(shop))


def style() -> bytes:
    """The style sheet of all pages."""
    return files("pipelines.portal.pages").joinpath("style.css").read_bytes()


def _freshness(request: Request) -> Freshness | None:
    state = request.app.state
    try:
        return state.shelf.freshness(state.clock())
    except LabError:  # no run has finished yet: there is nothing to be fresh
        return None


@lru_cache(maxsize=8)
def _environment(written: Written) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pipelines.portal.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= written.filters() | {
        "step": words.step,
        "why": words.why,
        "cause": words.cause,
        "stage": words.stage,
        "model": words.model,
        "outcome": outcome_name,
        "table_name": words.table_name,
        "column": words.column,
    }
    made.globals |= {
        "STATES": words.STATES,
        "CHANNELS": words.CHANNELS,
        "FAULTS": words.FAULTS,
        "ROLES": words.ROLES,
        "SPEND": words.SPEND,
        "VERDICTS": words.VERDICTS,
        "VIA": words.VIA,
        "TERMS": TERMS,
    }
    return made
