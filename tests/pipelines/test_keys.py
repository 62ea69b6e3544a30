"""Keys: made once, readable by their owner only, never replaced by accident."""

import json
import stat
from pathlib import Path

import pytest

from pipelines.errors import LakeError
from pipelines.keys import keys_of, keys_path
from pipelines.shop import Shop
from tests.pipelines.small_shops import write_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.delenv("RETENTION_KEY", raising=False)
    return write_shop(tmp_path / "shop")


def test_keys_are_made_once_beside_the_lake_for_its_owner_only(shop: Shop, tmp_path: Path) -> None:
    lake = tmp_path / "lakes" / "one"
    keys = keys_of(shop, lake)
    path = keys_path(lake)
    assert path == tmp_path / "lakes" / "one.keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys_of(shop, lake) == keys
    assert len(keys.identity) == len(keys.hold_out) == 32
    assert keys.identity != keys.hold_out


def test_two_lakes_have_two_keys(shop: Shop, tmp_path: Path) -> None:
    assert keys_of(shop, tmp_path / "one") != keys_of(shop, tmp_path / "two")


def test_a_key_file_that_is_gone_is_never_made_anew_over_a_lake_with_customers(
    shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "lake" / "tables" / "identity_map").mkdir(parents=True)
    with pytest.raises(LakeError, match=r"lake\.keys\.json is gone.*Restore it from a backup"):
        keys_of(shop, tmp_path / "lake")
    assert not keys_path(tmp_path / "lake").exists()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "null", '{"identity": "xyz"}', '{"identity": "zz", "hold_out": "00"}', '{"identity": 1}'],
)
def test_a_key_file_that_cannot_be_read_says_so(shop: Shop, tmp_path: Path, content: str) -> None:
    keys_path(tmp_path / "lake").write_text(content, encoding="utf-8")
    with pytest.raises(LakeError, match="cannot be read as a key file"):
        keys_of(shop, tmp_path / "lake")


def test_a_secret_of_the_environment_goes_first_and_leaves_no_file(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_KEY", "correct horse")
    keys = keys_of(shop, tmp_path / "lake")
    assert keys == keys_of(shop, tmp_path / "elsewhere")
    assert not keys_path(tmp_path / "lake").exists()
    monkeypatch.setenv("RETENTION_KEY", "battery staple")
    assert keys_of(shop, tmp_path / "lake") != keys


def test_a_samples_keys_are_public_and_the_same_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_KEY", "not for samples")
    sample = Shop.open("uk_gift_shop")
    assert keys_of(sample, tmp_path / "one") == keys_of(sample, tmp_path / "two")
    assert list(tmp_path.iterdir()) == []


def test_the_salts_id_gives_the_salt_not_away(shop: Shop, tmp_path: Path) -> None:
    keys = keys_of(shop, tmp_path / "lake")
    assert len(keys.salt_id) == 12
    assert keys.salt_id not in keys.hold_out.hex()


def test_the_erasure_key_is_one_of_its_own_and_files_without_one_give_a_steady_one(
    shop: Shop, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    keys = keys_of(shop, lake)
    assert len({keys.identity, keys.hold_out, keys.erasure}) == 3
    kept = json.loads(keys_path(lake).read_text(encoding="utf-8"))
    del kept["erasure"]
    keys_path(lake).write_text(json.dumps(kept), encoding="utf-8")
    assert keys_of(shop, lake).erasure == keys_of(shop, lake).erasure != keys.erasure
    kept["hold_out"] = "00" * 32
    before = keys_of(shop, lake).erasure_id
    keys_path(lake).write_text(json.dumps(kept), encoding="utf-8")
    assert keys_of(shop, lake).erasure_id == before
