"""The page of tables, made from the dictionary that casts, erasure and downloads are driven by."""

from collections.abc import Iterator

from data_contracts import Layer, Table, table, table_names
from pipelines.reference.commands import BAR

__all__ = ["tables_page"]

_HEAD = """\
# Tables

Made from code by `make docs`. `lab.describe("orders")` tells the same in a notebook. Money is exact
(`Decimal(18, 4)`), moments are UTC, days are the shop's; null is "not known", never 0. Privacy: what a column tells
of a person, which drives erasure, export and what a download may hold.
"""
_LAYERS = {
    Layer.FACT: "Facts: what happened",
    Layer.MEASURE: "Measures: what it comes to",
    Layer.PREDICTION: "Predictions: what to expect",
    Layer.SEGMENT: "Segments: who the customers are today",
    Layer.LIST: "Lists: whom to write to, and whether it helped",
    Layer.RECORD: "Records: what was delivered, run, handed out, erased",
    Layer.DELIVERED: "Delivered: what files must hold",
}


def tables_page() -> str:
    """Every table by layer, with every column."""
    all_tables = [table(name) for name in table_names()]
    layers = {layer: [one for one in all_tables if one.layer is layer] for layer in _LAYERS}
    contents = "\n".join(
        f"- **{title}**: {', '.join(f'[{one.name}](#{one.name})' for one in layers[layer])}"
        for layer, title in _LAYERS.items()
    )
    sections = (
        f"# {title}\n\n" + "\n".join(_section(one) for one in layers[layer])
        for layer, title in _LAYERS.items()
    )
    return "\n".join([_HEAD, contents, "", *sections])


def _section(one: Table) -> str:
    rows = "\n".join(_rows(one))
    return (
        f"## {one.name}\n\nOne row per {one.grain}. {one.meaning} Key: {', '.join(one.key) or 'none'}.\n\n"
        f"| column | type | meaning | unit | privacy |\n|---|---|---|---|---|\n{rows}\n"
    )


def _rows(one: Table) -> Iterator[str]:
    for column in one.columns:
        required = " Required." if column.required else ""
        cells = (
            f"`{column.name}`", column.kind.replace("_", " "), column.meaning + required, column.unit,
            column.privacy.value.replace("_", " "),
        )  # fmt: skip
        yield f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"
