"""What is computed from facts: pure functions and estimators. No Dagster, no files, no clock: that is `pipelines`."""
