"""Trial: whether the models that shop.toml names can be loaded at all, before a night depends on them.

What does not belong here: whether they are any good, which a back-test tells (`pipelines.cli.backtest`).
"""

from models.errors import ModelError
from pipelines.errors import ShopError
from pipelines.own_models.hidden_model import try_out
from pipelines.own_models.model_files import model_files
from pipelines.shop import Shop

__all__ = ["check_models"]


def check_models(shop: Shop) -> list[str]:
    """Load every model of the shop's own behind the curtain, and give their names.

    Raises
    ------
    ShopError
        Some cannot be loaded; the message lists every fault.
    """
    faults: list[str] = []
    files = model_files(shop)
    for model in files:
        try:
            try_out(model)
        except (ShopError, ModelError) as error:
            faults.append(str(error))
    if faults:
        raise ShopError("\n".join(faults))
    return [model.name for model in files]
