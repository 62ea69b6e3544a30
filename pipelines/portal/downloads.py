"""Hand a file over the network: in flat memory, noted in the ledger, without keeping others from their pages.

Which people are in the file is decided by `pipelines.delivery.handout`.
"""

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pipelines.delivery.handout import Prepared, prepare
from pipelines.portal.access import NotAllowedError, requires
from pipelines.records.ledger import Via
from pipelines.records.users import User

THREADS = 4
"""Threads that read files at the same time. Pages have threads of their own, so that none waits behind a file."""

router = APIRouter(include_in_schema=False)
Marketer = Annotated[User, Depends(requires("marketer"))]


def download_path(list_id: str, platform: str) -> str:
    """Where a list's file is downloaded."""
    return f"/lists/{quote(list_id, safe='')}/files/{quote(platform, safe='')}"


@router.get("/lists/{list_id}/files/{platform}")
async def download(request: Request, list_id: str, platform: str, user: Marketer) -> Response:
    """Give a file."""
    # A link on another site must not make a browser fetch people's addresses.
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise NotAllowedError(
            "This link came from another site. Open the list here and download the file again."
        )
    return await hand_over(request, list_id, platform, user, "page")


@router.head("/lists/{list_id}/files/{platform}")
async def describe(request: Request, list_id: str, platform: str, user: Marketer) -> Response:
    """Say what a file would be; nothing is handed out."""
    return await describe_file(request, list_id, platform, user, "page")


async def hand_over(request: Request, list_id: str, platform: str, user: User, via: Via) -> Response:
    """Answer with a list's file."""
    prepared = await _prepared(request, list_id, platform, user, via)
    return FileAnswer(prepared, request.app.state.download_threads)


async def describe_file(request: Request, list_id: str, platform: str, user: User, via: Via) -> Response:
    """Answer with what a file's headers would be."""
    prepared = await _prepared(request, list_id, platform, user, via)
    answer = Response(headers=_headers(prepared), media_type=prepared.media_type)
    # How long the file is, is known when it has been handed out.
    del answer.headers["content-length"]
    return answer


async def _prepared(request: Request, list_id: str, platform: str, user: User, via: Via) -> Prepared:
    state = request.app.state
    work = partial(
        prepare, state.shop, state.lake, state.ledger, list_id, platform, user.name, state.clock(), via
    )
    return await to_thread.run_sync(work, limiter=state.download_threads)


def _headers(prepared: Prepared) -> dict[str, str]:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", prepared.file_name)
    return {
        "content-disposition": f'attachment; filename="{name}"',
        "x-rows": str(prepared.rows_expected),
        "x-dropped": str(prepared.dropped),
    }


class FileAnswer(Response):
    """An answer whose bytes are made while they are sent.

    The length is not told beforehand: the last piece of the transfer goes out after the ledger's entry was closed, so
    whoever has the whole file finds it there as finished, and whoever broke off finds it open.
    """

    def __init__(self, prepared: Prepared, threads: CapacityLimiter) -> None:
        self.chunks: Iterator[bytes] = prepared.chunks
        self.threads = threads
        self.status_code = 200
        self.media_type = prepared.media_type
        self.background = None
        self.init_headers(_headers(prepared))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, unless whoever asked for it goes away."""
        # Before the answer begins: a fault up to here is told as one.
        chunk = await self._next()
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while chunk is not None:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if gone.done():
                    return
                chunk = await self._next()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            close = getattr(self.chunks, "close", None)
            if close is not None:
                await to_thread.run_sync(close, limiter=self.threads)

    async def _next(self) -> bytes | None:
        return await to_thread.run_sync(next, self.chunks, None, limiter=self.threads)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
