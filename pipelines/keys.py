"""The shop's secret keys: one that makes customer keys, one that draws hold-outs, one that knows erased people again.

They come from the environment or are made once beside the lake, readable by its owner only; a sample's are
public and derived from its shop.toml. They never stand in settings, tables or logs: lists keep the salt's id.
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import LakeError
from pipelines.shop import Shop


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a shop; ``salt_id`` and ``erasure_id`` name theirs without giving them away.

    The erasure key never rotates: under another one erased people would be taken in again.
    """

    identity: bytes
    hold_out: bytes
    erasure: bytes

    @property
    def salt_id(self) -> str:
        """First digits of the salt's checksum."""
        return _id_of(self.hold_out)

    @property
    def erasure_id(self) -> str:
        """First digits of the erasure key's checksum."""
        return _id_of(self.erasure)


def keys_path(lake_root: Path) -> Path:
    """Where a lake's keys lie: beside it, so that a copy of the lake gives no keys away."""
    return lake_root.with_name(f"{lake_root.name}.keys.json")


def keys_of(shop: Shop, lake_root: Path) -> Keys:
    """Find a shop's keys, making them where there are none yet.

    $RETENTION_KEY, where set, is the secret that all keys are derived from.

    Raises
    ------
    LakeError
        The key file cannot be read, or the lake has tables but its keys are gone.
    """
    if shop.sample and shop.public_salt:
        return _derived(shop.public_salt.encode())
    if secret := os.environ.get("RETENTION_KEY"):
        return _derived(secret.encode())
    path = keys_path(lake_root)
    if not path.exists():
        if (lake_root / "tables" / "identity_map").exists():
            raise LakeError(
                f"{path} is gone, and with it the key that this lake's customer keys were made with. "
                "Restore it from a backup."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({name: secrets.token_hex(32) for name in ("identity", "hold_out", "erasure")}, file)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        identity = bytes.fromhex(kept["identity"])
        # Files made before there was erasure lack its key; what follows from the identity key is as steady.
        erasure = bytes.fromhex(kept["erasure"]) if "erasure" in kept else _erasure_key(identity)
        return Keys(identity, bytes.fromhex(kept["hold_out"]), erasure)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeError(f"{path} cannot be read as a key file. Restore it from a backup.") from error


def _derived(secret: bytes) -> Keys:
    return Keys(
        hmac.digest(secret, b"identity", "sha256"),
        hmac.digest(secret, b"hold-out", "sha256"),
        _erasure_key(secret),
    )


def _erasure_key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"erasure", "sha256")


def _id_of(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:12]
