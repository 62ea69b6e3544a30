"""A shop with known truth: made-up people whose rates, departures and reactions are written down.

The model stands in `parameters` as numbers and in `model_text` in words. What follows from it is drawn block by block,
so that memory stays flat: `people` are drawn, `histories` lets them order, `order_export` and its neighbours are what
the shop exports of it, and `truth` is what nobody at the shop could know. `simulation` puts these together. A run of
the lab reads the deliveries and never the truth.
"""
