"""The program's own fingerprint: a change of code, contract or template makes everything anew."""

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

PACKAGES = ("data_contracts", "models", "pipelines")
KINDS = (".py", ".toml", ".json", ".j2", ".css")


@cache
def code_version() -> str:
    """Checksum of every source file, contract and template of the program, the bundled samples left out."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        root = Path(str(files(package)))
        for file in sorted(root.rglob("*")):
            if file.suffix in KINDS and "samples" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
