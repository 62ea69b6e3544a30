"""How the page answers besides its own pages: a message with a status, as a page or as JSON; the way to sign in.

Templates and their words belong to `pipelines.portal.pages`.
"""

from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipelines.portal.access import is_api


def tell(request: Request, status: int, message: str) -> Response:
    """Answer with a message: ``{"detail": ...}`` to programs, to people a page (message.html.j2: status, message)."""
    if is_api(request):
        return JSONResponse({"detail": message}, status)
    return show(request, "message.html.j2", {"status": status, "message": message}, status)


def show(request: Request, template: str, facts: dict[str, Any], status: int = 200) -> Response:
    """Answer with a page."""
    # The pages ask who is signed in, so they come after this module.
    from pipelines.portal.pages.rendering import render

    return render(request, template, facts, status)


def to_sign_in(request: Request) -> Response:
    """Lead to the sign-in page, and from there back to the page that was asked for."""
    back = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    return RedirectResponse("/sign-in" + (f"?next={quote(back, safe='/')}" if back else ""), 303)


def local_path(path: str | None) -> str:
    """A path of this page to go on to; anything that could lead elsewhere becomes the overview."""
    is_here = path is not None and path.startswith("/") and not path.startswith("//")
    is_plain = is_here and path is not None and path.isprintable() and "\\" not in path
    return path if path is not None and is_plain and not path.startswith("/sign-") else "/"
