"""Whose order and customer numbers a source brings, where a shop has several sources of orders.

A file of returns belongs to the orders whose numbers it names. What equal numbers of two sources mean is
`pipelines.shop.Shop.numbers_of`' business.
"""

from dataclasses import replace

from pipelines.connect.drafts import Draft
from pipelines.connect.samples import Sample


def with_numbers(drafts: list[Draft], samples: dict[str, Sample]) -> list[Draft]:
    """Say of each source that is not of orders which source of orders its numbers come from.

    Parameters
    ----------
    samples
        By name of the source.
    """
    of_orders = [draft for draft in drafts if draft.table == "orders"]
    if len(of_orders) < 2:
        return drafts
    return [draft if draft.table == "orders" else _with_owner(draft, of_orders, samples) for draft in drafts]


def _with_owner(draft: Draft, of_orders: list[Draft], samples: dict[str, Sample]) -> Draft:
    same_file = [orders for orders in of_orders if set(orders.paths) & set(draft.paths)]
    shares = {
        orders.source.name: _shared(samples[draft.source.name], samples[orders.source.name])
        for orders in of_orders
    }
    best = same_file[0].source.name if same_file else max(shares, key=lambda name: shares[name][0])
    count, column = shares[best]
    if best == of_orders[0].source.name or (not same_file and not count):
        return draft
    why = "the same file" if same_file else f"{count:,} of its {column} stand among the first rows of {best}"
    owner = draft.source.model_copy(update={"order_numbers": best, "customer_numbers": best})
    return replace(
        draft, source=owner, reasons={**draft.reasons, "order_numbers": why, "customer_numbers": why}
    )


def _shared(one: Sample, orders: Sample) -> tuple[int, str]:
    """Count the numbers that both have, of the first column in which there are any."""
    for column in ("order_id", "customer_id"):
        if column in one.rows.columns:
            shared = set(one.rows[column].drop_nulls()) & set(orders.rows[column].drop_nulls())
            if shared:
                return len(shared), column
    return 0, "order_id"
