"""From delivered rows to facts: landing, contract, quarantine, versions, identity, orders, returns, surveys.

Functions here take and return frames; reading and writing the lake is done by `pipelines.assets`. Measures
and predictions belong to `models`.
"""
