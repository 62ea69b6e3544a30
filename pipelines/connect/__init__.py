"""Connect a shop: look at its files, guess what they hold, and write its shop.toml with every guess's reason.

Nothing here takes rows in or decides what a value means: formats are `pipelines.sources`' business, values
`pipelines.ingest`'s. What shops call things stands in words.toml.
"""
