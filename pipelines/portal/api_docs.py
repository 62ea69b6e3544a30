"""What the API can do, for programs (OpenAPI) and for people: one plain page that loads nothing from elsewhere."""

from functools import cache
from html import escape
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from pipelines.portal import api
from pipelines.portal.access import anybody, rule_of

router = APIRouter(prefix="/api", dependencies=[Depends(anybody)], include_in_schema=False)


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the page is up. It says nothing else."""
    return {"status": "ok"}


@router.get("/openapi.json")
def description() -> dict[str, Any]:
    """The API's description."""
    return _described()


@router.get("/docs", response_class=HTMLResponse)
def page() -> str:
    """The API's description for people."""
    return _page()


@cache
def _described() -> dict[str, Any]:
    return get_openapi(
        title="Retention Lab",
        version="1",
        description="Lists for campaigns, who took them, what they came to. Send the header "
        "`Authorization: Bearer TOKEN`; `retention users token NAME` makes a token.",
        routes=api.router.routes,
    )


@cache
def _page() -> str:
    described = _described()
    roles = {
        (method.lower(), getattr(route, "path", "")): rule_of(route)
        for route in api.router.routes
        for method in getattr(route, "methods", ())
    }
    parts: list[str] = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            parts.append(_operation(method, path, operation, roles[method, path]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>API of Retention Lab</title>'
        '<link rel="stylesheet" href="/style.css"></head><body><main class="wrap"><h1>API</h1>'
        f"<p>{_text(described['info']['description'])}</p>"
        '<p><a href="/api/openapi.json">OpenAPI description (JSON)</a></p>'
        + "".join(parts)
        + "</main></body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], role: Any) -> str:
    inputs = [
        (part["name"], part.get("description", ""), part.get("schema", {}))
        for part in operation.get("parameters", ())
    ]
    if body := operation.get("requestBody"):
        schema = body["content"]["application/json"]["schema"]
        name = schema.get("$ref", "").rpartition("/")[2]
        properties = _described()["components"]["schemas"].get(name, {}).get("properties", {})
        inputs += [(key, value.get("description", ""), value) for key, value in properties.items()]
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(_kind(schema))}</td>'
        f"<td>{_text(told)}</td></tr>"
        for name, told, schema in inputs
    )
    table = (
        '<table><caption>What it takes</caption><thead><tr><th scope="col">Name</th><th scope="col">Kind</th>'
        f'<th scope="col">Meaning</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else ""
    )
    answers = ", ".join(
        f"{code}: {escape(told['description'])}" for code, told in operation["responses"].items()
    )
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2><p>{_text(operation['description'])}</p>"
        f"<p>Role: {role.value if role else 'anybody'}</p>{table}<p>Answers: {answers}</p></section>"
    )


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("format") or schema.get("type") or schema.get("$ref", "").rpartition("/")[2]
    return str(kind or "text")


def _text(told: str) -> str:
    # Backticks are the only markup that the descriptions use.
    parts = escape(told).split("`")
    return "".join(part if number % 2 == 0 else f"<code>{part}</code>" for number, part in enumerate(parts))
