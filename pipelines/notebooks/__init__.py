"""Notebooks: which there are, run on a finished snapshot, kept as pages, renewed in git.

`files` finds them, `execute` runs one, `page` renders it, `kept` says what became of each, `night` runs several,
`renew` writes outputs back into the files. The notebooks themselves hold no code worth keeping; what they read is
`pipelines.lab`'s business, and that they are assets too is said in `pipelines.assets.notebooks`.
"""
