"""Trial: whether the models that shop.toml names can be loaded at all, before a night depends on them.

What does not belong here: whether they are any good, which a back-test tells (`pipelines.cli.backtest`).
"""

from models.errors import ModelError
from pipelines.errors import ShopError
from pipelines.own_models.hidden_model import try_out
from pipelines.own_models.model_files import model_files
from pipelines.shop import Shop

__all__ = ["check_models"]


def check_models(shop: Shop) -> None:
    """Load every model of the shop's own behind the curtain.

    Raises
    ------
    ShopError
        Some cannot be loaded; the message lists every fault.
    """
    faults: list[str] = []
    for model in model_files(shop):
        try:
            try_out(model)
        except (ShopError, ModelError) as error:
            faults.append(str(error))
    if faults:
        raise ShopError("\n".join(faults))
