"""The page that marketing downloads lists from, and its JSON: who may do what, and how it is told.

What a list holds is decided in `pipelines.delivery`; who may sign in is kept by `pipelines.records`.
"""
