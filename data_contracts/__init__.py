"""What each table promises: columns, grain, meaning, rules and privacy class. Computes nothing."""

from data_contracts.conform import conform
from data_contracts.dictionary import MONEY, Column, Layer, Privacy, Table, table, table_names
from data_contracts.errors import ContractError

__all__ = [
    "MONEY",
    "Column",
    "ContractError",
    "Layer",
    "Privacy",
    "Table",
    "conform",
    "table",
    "table_names",
]
