"""Shop: found by name, folder or file; wrong settings are listed all at once and in words."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.errors import ShopError
from pipelines.shop import SAMPLES, Shop, find_shop_file
from tests.pipelines.small_shops import SETTINGS, source, write_shop


def refused(folder: Path, settings: str, more: str = "") -> str:
    with pytest.raises(ShopError) as caught:
        write_shop(folder, settings=settings, more=more)
    return str(caught.value)


def test_the_bundled_shop_opens_by_name_folder_and_file() -> None:
    folder = SAMPLES / "uk_gift_shop"
    shops = [
        Shop.open("uk_gift_shop"),
        Shop.open(folder),
        Shop.open(folder / "shop.toml"),
        Shop.open(str(folder)),
    ]
    assert {shop.name for shop in shops} == {"uk_gift_shop"}
    assert shops[0] == shops[1] == shops[2] == shops[3]
    assert shops[0].folder == folder.resolve()


def test_names_are_looked_up_on_the_shelf_before_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shop(tmp_path / "uk_gift_shop")
    monkeypatch.setenv("RETENTION_SHOPS_DIR", str(tmp_path))
    assert Shop.open("uk_gift_shop").name == "small_shop"


@pytest.mark.parametrize("where", ["nowhere", "", "no/such/folder"])
def test_a_shop_that_is_not_there_lists_those_that_are(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ShopError, match=r"There is no shop .*Known names: uk_gift_shop"):
        find_shop_file(where)


def test_every_fault_is_listed_with_its_place(tmp_path: Path) -> None:
    wrong = (
        SETTINGS.replace("Europe/London", "London")
        .replace("GBP", "pounds")
        .replace("small_shop", "Small Shop")
    )
    more = "[returns]\nmatch_window_days = 0\n[predictions]\nhorizont = 3\n"
    told = refused(tmp_path, wrong, more)
    assert "has 5 wrong setting(s)" in told
    for place in ("name", "timezone", "currency", "returns.match_window_days", "predictions.horizont"):
        assert f"  {place}: " in told
    assert "'London' is not a timezone name such as Europe/London" in told


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"^C"', '"^(C"', "orders.return_order_ids: .*is not a regular expression"),
        ('"^A"', '"^(?=A)"', "orders.adjustment_order_ids: .*is not a regular expression"),
        ("'^POST$'", "'[POST'", "orders.kinds: .*is not a regular expression"),
        ('"postage"', '"shipping"', "orders.kinds"),
        ("history_start = 2024-01-01", "", "history_start: Field required"),
        ("block_share = 1.0", "block_share = 0", "contracts.block_share"),
        ('timezone = "Europe/London"', 'timezone = "localtime"', "timezone: .*'localtime' is not a timezone"),
        ('currency = "GBP"', 'currency = "GBP"\npublic_salt = "x"', "public_salt is for samples only"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in SETTINGS
    with pytest.raises(ShopError, match=says):
        write_shop(tmp_path, settings=SETTINGS.replace(old, new))


def test_sources_must_bring_orders_and_bear_names_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="no source delivers the table orders"):
        write_shop(tmp_path, ["returns"])
    with pytest.raises(ShopError, match="two sources are named orders"):
        write_shop(tmp_path, ["orders", "orders"])
    with pytest.raises(ShopError, match=r"there is no delivered table 'clicks'; there are .*orders"):
        write_shop(tmp_path, more=source("orders", "web").replace('table = "orders"', 'table = "clicks"'))


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    assert "is not valid TOML" in refused(tmp_path, "name = 'small")
    (tmp_path / "shop.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ShopError, match="is not valid TOML"):
        Shop.open(tmp_path)


def test_what_is_not_set_has_the_documented_default(tmp_path: Path) -> None:
    shop = write_shop(
        tmp_path, settings='name = "s"\ntitle = "S"\ncurrency = "EUR"\nhistory_start = 2024-01-01\n'
    )
    assert (shop.timezone, shop.consent.when_not_delivered, shop.orders.repeated_lines) == (
        "UTC",
        "deny",
        "keep",
    )
    assert shop.history_start == date(2024, 1, 1)


def test_the_settings_hash_follows_settings_and_not_the_folder(tmp_path: Path) -> None:
    first = write_shop(tmp_path / "a")
    moved = write_shop(tmp_path / "b")
    changed = write_shop(tmp_path / "c", more="[returns]\nmatch_window_days = 30\n")
    assert first.settings_hash() == moved.settings_hash() != changed.settings_hash()
    assert first.settings_hash("orders", "timezone") == changed.settings_hash("orders", "timezone")
    assert first.settings_hash("returns") != changed.settings_hash("returns")
