"""A list's rule in people's words, beside the SQL that decides.

Words are for reading only: what has no words here is shown as it stands in the rule, and nothing is decided by them.
"""

import json
from datetime import date
from typing import Any

from pipelines.report.words import listed, stage_name

COLUMNS = {
    "stage": "lifecycle stage",
    "stage_since": "first day in the stage",
    "previous_stage": "stage before",
    "days_since_last_order": "days since the last order",
    "valid_orders": "number of orders",
    "valid_orders_12m": "number of orders in the last 12 months",
    "order_days": "days with an order",
    "historic_clv": "amount spent so far",
    "net_12m": "amount spent in the last 12 months",
    "average_order_value": "amount spent per order",
    "returned_value": "value given back",
    "r": "recency score (1 to 3, 3 is the latest)",
    "f": "frequency score (1 to 3, 3 is the top third)",
    "m": "spending score (1 to 3, 3 is the top third)",
    "rfm_segment": "RFM segment",
    "shopify_segment": "segment by Shopify’s names",
    "tier": "loyalty tier",
    "predicted_orders_365d": "orders expected in a year",
    "predicted_clv_365d": "spending expected in a year",
    "churn_probability_90d": "chance of no order in 90 days",
    "churn_probability_365d": "chance of no order in a year",
    "churn_band": "risk of losing them",
    "last_nps": "latest answer to “would you recommend us?” (0 to 10)",
    "last_csat": "latest answer on satisfaction (1 to 5)",
    "next_product": "product often bought next",
    "next_product_name": "product often bought next",
    "main_category": "category bought most",
    "last_product": "product of the last order",
    "late_parcels_90d": "late parcels in the last 90 days",
    "returns_90d": "returns in the last 90 days",
    "tickets_90d": "questions to support in the last 90 days",
}
COMPARED = {
    "COMPARE_EQUAL": "is",
    "COMPARE_NOTEQUAL": "is not",
    "COMPARE_LESSTHAN": "is below",
    "COMPARE_GREATERTHAN": "is above",
    "COMPARE_LESSTHANOREQUALTO": "is at most",
    "COMPARE_GREATERTHANOREQUALTO": "is at least",
}
CALCULATED = {"+": "plus", "-": "minus", "*": "times", "/": "divided by", "~~": "is like", "||": "with"}

Node = dict[str, Any]


def rule_words(sql: str) -> tuple[str, ...]:
    """Give a rule's conditions, all of which must hold, one sentence part each; none where it cannot be parsed."""
    import duckdb

    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        found = connection.execute(
            "SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT (\n{sql}\n)"]
        ).fetchone()
    parsed: Node = json.loads(found[0]) if found else {"error": True}
    if parsed.get("error") or len(parsed.get("statements", ())) != 1:
        return ()
    chosen = parsed["statements"][0]["node"].get("select_list", ())
    if len(chosen) != 1:
        return ()
    node = chosen[0]
    if node["class"] == "CONSTANT":
        return ("everybody",) if _value(node) == "true" else (_words(node),)
    parts = node["children"] if node["type"] == "CONJUNCTION_AND" else [node]
    return tuple(_one_of(part) if part["type"] == "CONJUNCTION_OR" else _words(part) for part in parts)


def _one_of(node: Node) -> str:
    return "either " + ", or ".join(_words(child) for child in node["children"])


def _words(node: Node) -> str:
    match node["class"]:
        case "COLUMN_REF":
            name = node["column_names"][-1].lower()
            return str(COLUMNS.get(name, name.replace("_", " ")))
        case "CONSTANT":
            return _value(node)
        case "CAST":
            return _words(node["child"])
        case "COMPARISON":
            compared = COMPARED.get(node["type"], "compares with")
            return f"{_words(node['left'])} {compared} {_words(node['right'])}"
        case "BETWEEN":
            return f"{_words(node['input'])} is {_words(node['lower'])} to {_words(node['upper'])}"
        case "CONJUNCTION":
            joined = " or " if node["type"] == "CONJUNCTION_OR" else " and "
            return f"({joined.join(_words(child) for child in node['children'])})"
        case "OPERATOR":
            return _operator(node)
        case "FUNCTION":
            return _function(node)
        case _:
            return "a condition that has no words here (see the rule)"


def _operator(node: Node) -> str:
    children = node.get("children", [])
    match node["type"]:
        case "OPERATOR_IS_NULL":
            return f"{_words(children[0])} is not known"
        case "OPERATOR_IS_NOT_NULL":
            return f"{_words(children[0])} is known"
        case "COMPARE_IN" | "COMPARE_NOT_IN":
            values = [_words(child) for child in children[1:]]
            verb = "is" if node["type"] == "COMPARE_IN" else "is not"
            among = values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
            return f"{_words(children[0])} {verb} {among}"
        case "OPERATOR_NOT":
            inner = children[0]
            if inner["type"] == "COMPARE_IN":
                return _operator({**inner, "type": "COMPARE_NOT_IN"})
            return f"not: {_words(inner)}"
        case _:
            return listed([_words(child) for child in children])


def _function(node: Node) -> str:
    arguments = [
        _words(part.get("expression", part)) for part in node.get("arguments", node.get("children", []))
    ]
    name = str(node["function_name"]).lower()
    if name in CALCULATED and len(arguments) == 2:
        return f"{arguments[0]} {CALCULATED[name]} {arguments[1]}"
    if name in ("list_contains", "contains") and len(arguments) == 2:
        return f"{arguments[0]} contain {arguments[1]}"
    return f"{name.replace('_', ' ')} {listed(arguments)}"


def _value(node: Node) -> str:
    literal = node.get("literal") or {}
    value = literal.get("text", node.get("value", {}).get("value"))
    text = str(value)
    if literal.get("kind") != "STRING" and not isinstance(value, str):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return stage_name(text)
    return f"{day:%-d %B %Y}"
