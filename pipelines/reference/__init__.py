"""Reference pages made from code: commands, tables, settings. `make docs` writes them; a test says when they are stale.

What a command, column or setting means is said where it is made, never here.
"""
