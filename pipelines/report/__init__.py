"""The report of a shop: charts in one house theme, sentences computed from tables, one self-contained page.

``figures`` turn tables into figures, ``charts`` offers them as Altair charts, ``report`` assembles the page.
Measures and models are computed elsewhere; what stands here reads them, counts, and says what they mean.
"""
