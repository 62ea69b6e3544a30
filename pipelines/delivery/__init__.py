"""From segments to files: what a list may ask, who may be on it, why, and the files that are handed out.

The settings of lists stand in shop.toml (`pipelines.shop.SegmentList`); computing scores belongs to `models`.
"""
