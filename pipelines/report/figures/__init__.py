"""Figures by topic: each takes a table's rows and gives a `Figure`, or None where the rows show nothing."""
