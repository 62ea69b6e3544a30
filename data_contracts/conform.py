"""Give a frame exactly the columns and types that the dictionary promises, or say which it lacks.

Every write to the lake goes through `conform`. It changes types and order only; it does not judge values.
"""

import polars as pl

from data_contracts.dictionary import Table
from data_contracts.errors import ContractError


def conform(frame: pl.LazyFrame, promised: Table) -> pl.LazyFrame:
    """Cast and order the columns of ``frame`` as ``promised``.

    Raises
    ------
    ContractError
        A promised column is missing or an unpromised one is there.
    """
    have = frame.collect_schema()
    missing = [name for name in promised.schema if name not in have]
    surplus = [name for name in have.names() if name not in promised.schema]
    if missing or surplus:
        raise ContractError(
            f"Table {promised.name}: "
            + "; ".join(
                [f"missing columns: {', '.join(missing)}"] * bool(missing)
                + [f"columns the dictionary does not know: {', '.join(surplus)}"] * bool(surplus)
            )
            + f". Mend the step that makes it or data_contracts/dictionary/{promised.name}.toml."
        )
    return frame.select(
        pl.col(name) if have[name] == dtype else pl.col(name).cast(dtype)
        for name, dtype in promised.schema.items()
    )
