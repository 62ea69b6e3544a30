"""Composed shops in which some products lead to others, and plain loops that count what leads to what.

No person stands behind any row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from tests.models.shops import OPENED, Shop

Row = dict[str, Any]


def order(order_id: str, customer: str | None, offset: int, products: Iterable[str | None]) -> Shop:
    """One valid order with a line of merchandise of each product."""
    day = OPENED + timedelta(offset)
    lines = [
        {
            "order_id": order_id,
            "line_no": number,
            "product_id": product,
            "product_name": f"a {product}",
            "category": None,
            "kind": "merchandise",
            "quantity": 1,
            "unit_price": Decimal(10),
            "discount": Decimal(0),
            "net": Decimal(10),
        }
        for number, product in enumerate(products, start=1)
    ]
    placed = {
        "order_id": order_id,
        "customer_key": customer,
        "ordered_at": datetime.combine(day, time(12), UTC),
        "order_day": day,
        "gross": Decimal(10 * len(lines)),
        "discount": Decimal(0),
        "is_valid": True,
    }
    return Shop((placed,), tuple(lines), ())


def together(shops: Iterable[Shop]) -> Shop:
    """Put the rows of several shops into one."""
    every = list(shops)
    return Shop(
        tuple(row for shop in every for row in shop.order_rows),
        tuple(row for shop in every for row in shop.line_rows),
        tuple(row for shop in every for row in shop.return_rows),
    )


def back(line: Row, offset: int, **changes: Any) -> Row:
    """The return of a whole line."""
    return {
        "return_id": f"r-{line['order_id']}-{line['line_no']}",
        "order_id": line["order_id"],
        "product_id": line["product_id"],
        "kind": "merchandise",
        "quantity": line["quantity"],
        "amount": line["net"],
        "outcome": "refund",
        "returned_day": OPENED + timedelta(offset),
    } | changes


def sequels(customers: int, *, leads_to: float, products: int = 30, seed: int = 1) -> Shop:
    """People who buy much or little, of products that have nothing to do with each other: p0 alone leads to p1 and p2.

    Parameters
    ----------
    leads_to
        Chance that somebody who bought p0 takes p1 with a later order, and as much that they take p2.
    """
    generator = np.random.default_rng(seed)
    popularity = generator.dirichlet(np.full(products, 5.0))
    popularity[0] = 0.1  # enough buyers to tell what it leads to
    popularity /= popularity.sum()
    made: list[Shop] = []
    for customer in range(customers):
        # Who orders often also puts more into each basket: what makes every product seem to lead to every other.
        zeal = generator.gamma(1.0, 1.0)
        days = sorted(generator.choice(600, size=1 + generator.poisson(2 * zeal), replace=False).tolist())
        has_first = False
        for number, offset in enumerate(days):
            size = min(products, 1 + generator.poisson(zeal))
            basket = set(generator.choice(products, size=size, replace=False, p=popularity).tolist())
            if has_first:
                basket |= {n for n in (1, 2) if generator.random() < leads_to}
            has_first = has_first or 0 in basket
            made.append(
                order(f"o{customer}-{number}", f"c{customer}", offset, [f"p{n}" for n in sorted(basket)])
            )
    return together(made)


@dataclass(frozen=True)
class Pair:
    """What plain loops count of one pair."""

    customers: int
    n: int
    base_rate: float
    expected_rate: float


def pairs_by_hand(shop: Shop, as_of: date) -> dict[tuple[str, str], Pair]:
    """Every pair of products that anybody bought in this order, customer by customer."""
    own = {
        row["order_id"]: row
        for row in shop.order_rows
        if row["is_valid"] and row["customer_key"] and row["order_day"] <= as_of
    }
    sold, returned = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in shop.line_rows:
        if line["kind"] == "merchandise":
            sold[line["order_id"], line["product_id"]] += line["quantity"]
    for row in shop.return_rows:
        day = row["returned_day"] or row.get("refunded_day")
        if row["kind"] == "merchandise" and row["outcome"] != "exchange" and day and day <= as_of:
            returned[row["order_id"], row["product_id"]] += row["quantity"]
    days: dict[str, set[date]] = {}
    first: dict[str, dict[str, date]] = {}
    for placed in own.values():
        days.setdefault(placed["customer_key"], set()).add(placed["order_day"])
    for order_id, product in sold:
        if order_id in own and product and returned[order_id, product] < sold[order_id, product]:
            bought = first.setdefault(own[order_id]["customer_key"], {})
            day = own[order_id]["order_day"]
            bought[product] = min(bought.get(product, day), day)
    back_again = [who for who, when in days.items() if len(when) > 1]
    products = {product for who in back_again for product in first.get(who, {})}
    base: dict[str, float] = {}
    for product in products:
        had = [w for w in back_again if first.get(w, {}).get(product) == min(days[w])]
        later = [w for w in back_again if first.get(w, {}).get(product, min(days[w])) > min(days[w])]
        could = len(back_again) - len(had)
        base[product] = len(later) / could if could else 0.0
    counted: dict[tuple[str, str], tuple[int, int]] = {}
    for one in products:
        buyers = [w for w in back_again if one in first.get(w, {}) and first[w][one] < max(days[w])]
        for other in products - {one}:
            could = [w for w in buyers if not first[w].get(other, date.max) <= first[w][one]]
            counted[one, other] = (sum(other in first[w] for w in could), len(could))
    made: dict[tuple[str, str], Pair] = {}
    for one in products:
        others = products - {one}
        expected = sum(base[other] * counted[one, other][1] for other in others)
        bought = sum(counted[one, other][0] for other in others)
        for other in others:
            if counted[one, other][0]:
                made[one, other] = Pair(*counted[one, other], base[other], base[other] * bought / expected)
    return made
