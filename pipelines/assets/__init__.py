"""The assets, one file a stage: each reads tables, calls a pure function, writes one table.

`step` says what a step is, `run` how one is carried out, `build` how steps become Dagster assets. What is computed
stands in `pipelines.ingest` and `models`.
"""
