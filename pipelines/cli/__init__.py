"""The command `retention`: one file a group of commands; what they do stands elsewhere."""

from pipelines.cli.app import main

__all__ = ["main"]
