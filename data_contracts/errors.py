"""What goes wrong between data and its contract. Nothing else is raised from this package."""


class ContractError(Exception):
    """A table, column or rule does not keep its promise; the message says which and what to do."""
