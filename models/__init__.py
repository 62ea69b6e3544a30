"""What is computed from facts: pure functions and estimators. No Dagster, no files, no clock; see `pipelines` for those."""
