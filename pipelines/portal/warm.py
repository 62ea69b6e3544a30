"""Work out beforehand what a download needs to know, whenever the lake has changed: who has gone since.

On large lists that takes seconds, and whoever presses the button should not wait for them. Nothing depends on it:
without it the first download works it out.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi import FastAPI

from pipelines.delivery.departures import LOOKED_AT, stamp
from pipelines.delivery.handout import find_list, prepare
from pipelines.errors import LabError

LOG = logging.getLogger("retention.portal")
EVERY = 15.0
"""Seconds between looks at the lake; a look costs a few file system calls."""


@contextmanager
def kept_warm(app: FastAPI) -> Iterator[None]:
    """Keep a page's downloads prepared for as long as it is served."""
    stopped = threading.Event()
    thread = threading.Thread(target=_watch, args=(app, stopped), name="warm", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()


def warm(app: FastAPI, now: datetime, stopped: threading.Event | None = None) -> int:
    """Prepare every file of the newest lists once, and say how many; nothing is handed out or noted."""
    state, prepared = app.state, 0
    for card in state.shelf.overview(now).cards:
        for platform in find_list(state.lake, card.list_id).files:
            if stopped is not None and stopped.is_set():
                return prepared
            try:
                prepare(state.shop, state.lake, state.ledger, card.list_id, platform, "", now, "page")
            except LabError:  # who asks for it is told
                continue
            prepared += 1
    return prepared


def _watch(app: FastAPI, stopped: threading.Event) -> None:
    seen: tuple[int, ...] = ()
    while not stopped.is_set():
        present = stamp(app.state.lake, "snapshots", *LOOKED_AT)
        if present != seen:
            try:
                warm(app, app.state.clock(), stopped)
            except Exception as error:  # the page is served all the same
                LOG.warning("downloads were not prepared beforehand: %s", type(error).__name__)
            seen = present
        stopped.wait(EVERY)
