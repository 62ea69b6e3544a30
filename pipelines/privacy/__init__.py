"""What the lab holds of one person: all of it to take away, or gone for good.

In this order: who is meant (`person`), what is written of them where (`terms`, `tables`, `kept_files`), to take away
(`export`), or to erase (`erasure`, `journal`, `pages`) and to prove that it is gone (`search`). Which columns are
personal is said by the dictionary alone; rows of erased people that are delivered again are `pipelines.ingest`'s
business.
"""
