"""Composed model files: honest ones, cheats and broken ones, written as a shop would write them."""

from pathlib import Path

from pipelines.own_models.model_files import ModelFile

HEAD = """
import polars as pl

class Mine:
    def fit(self, known):
        self.as_of, self.known = known.as_of, known
        self.purchases = known.purchases.collect()
        {fit}
        return self

    def predict(self, horizon_days):
        {predict}
        return told

    def people(self):
        by = self.purchases.group_by("customer_key").agg(pl.col("net").sum().cast(pl.Float64), days=pl.len())
        return by.sort("customer_key")
"""
HONEST = """
        told = self.people().select(
            "customer_key",
            predicted_value=pl.col("net") / 10 * horizon_days / 100,
            purchase_probability=1 - 1 / (pl.col("days") + 1),
        )
"""


def written(
    folder: Path, *, fit: str = "", predict: str = "", more: str = "", name: str = "mine"
) -> ModelFile:
    """A model that predicts by what each customer did, and does more besides."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(more + HEAD.format(fit=fit or "pass", predict=predict + HONEST), encoding="utf-8")
    return ModelFile(name, path, "Mine", max_seconds=60)
