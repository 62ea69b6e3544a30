"""Render an executed notebook as one HTML page that loads nothing from anywhere."""

from html import escape
from typing import Any

import nbformat

from pipelines.notebooks.execute import Executed
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot


def render(executed: Executed, name: str, shop: Shop, snapshot: Snapshot) -> bytes:
    """One self-contained page: whose numbers these are and of which day, then the notebook with its outputs."""
    from nbconvert import HTMLExporter

    notebook = nbformat.from_dict({**executed.notebook, "cells": [_banner(executed, name, shop, snapshot)]})
    notebook.cells += executed.notebook.cells
    exporter = HTMLExporter(embed_images=True, exclude_input_prompt=True, exclude_output_prompt=True)
    # The page is for people who may be offline: no script is loaded from anywhere.
    exporter.require_js_url = exporter.jquery_url = exporter.mathjax_url = exporter.mermaid_js_url = ""
    title = f"{title_of(executed.notebook) or name} · {shop.title}, as of {snapshot.as_of}"
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return page.encode()


def title_of(notebook: Any) -> str | None:
    """The notebook's first heading."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    lines = (line for text in texts for line in text.splitlines())
    return next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), None)


def _banner(executed: Executed, name: str, shop: Shop, snapshot: Snapshot) -> Any:
    """A first cell that tells shop and day, and a failure where there was one."""
    facts = f"<b>{escape(shop.title)}</b>, as of {snapshot.as_of} · notebook {escape(name)}"
    text = f'<p style="color: #555; border-bottom: 1px solid #ccc">{facts} · run {snapshot.snapshot_id}</p>'
    if executed.error:
        text += (
            '\n\n<p style="border-left: 4px solid #b3261e; padding-left: 0.6em"><b>This notebook failed:</b> '
            f"{escape(executed.error)}. What came before stands below; the cells after it were not run.</p>"
        )
    return nbformat.v4.new_markdown_cell(text, id="banner")
