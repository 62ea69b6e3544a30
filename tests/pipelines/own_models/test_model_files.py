"""Where a shop's own models stand is said in shop.toml; what is wrong there is told with file and line."""

from pathlib import Path

import pytest

from pipelines.errors import ShopError
from pipelines.own_models.model_files import identity, model_file, model_files
from pipelines.own_models.trial import check_models
from pipelines.shop import Shop
from tests.pipelines.small_shops import write_shop

MINE = '\n[[models]]\nname = "mine"\nfile = "mine.py"\nclass = "Mine"\n'
GOOD = "class Mine:\n    def fit(self, known): return self\n\n    def predict(self, horizon_days): ...\n"


def shop_with(folder: Path, text: str | None, *, more: str = MINE) -> Shop:
    shop = write_shop(folder, more=more)
    if text is not None:
        (folder / "mine.py").write_text(text, encoding="utf-8")
    return shop


def test_a_file_is_found_beside_the_settings_and_in_the_notebooks(tmp_path: Path) -> None:
    example = MINE.replace("mine.py", "own_models/fading_spend.py").replace('"Mine"', '"FadingMean"')
    more = MINE + example.replace('"mine"', '"fading"') + "max_minutes = 2\n"
    mine, fading = model_files(shop_with(tmp_path, GOOD, more=more))
    assert (mine.path, mine.class_name, mine.max_seconds) == (tmp_path / "mine.py", "Mine", 1800)
    assert fading.path.name == "fading_spend.py"
    assert fading.path.parent.parent.name == "notebooks"
    assert fading.max_seconds == 120
    fading.check()


def test_what_tables_depend_on_changes_with_the_file_and_the_settings_but_not_by_itself(
    tmp_path: Path,
) -> None:
    shop = shop_with(tmp_path, GOOD)
    first = identity(shop)
    assert identity(shop) == first
    (tmp_path / "mine.py").write_text(GOOD + "# more\n", encoding="utf-8")
    changed = identity(shop)
    (tmp_path / "mine.py").unlink()
    assert len({first, changed, identity(shop)}) == 3
    assert identity(write_shop(tmp_path / "without")) == '""'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (MINE.replace('"mine"', '"season_mean"'), "'season_mean' is a model of the program"),
        (MINE + MINE, "two models are named mine"),
        (MINE.replace("mine.py", "../mine.py"), "must be a .py file beside shop.toml or in notebooks/"),
        (MINE.replace("mine.py", "/etc/mine.py"), "must be a .py file beside shop.toml or in notebooks/"),
        (
            MINE.replace("class =", "klass ="),
            "there is no such setting; there are name, file, class, max_minutes",
        ),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(ShopError, match=told):
        write_shop(tmp_path, more=more)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"mine\.py cannot be read \(No such file or directory\)\. Put the file beside shop\.toml"),
        ("class Mine:\n    def fit(self\n", r"mine\.py, line 2 is no Python: '\(' was never closed"),
        ("class Other: ...\n", r"has no class Mine; there are Other\. Mend `class`"),
        ("import nowhere\n" + GOOD, r"No module named 'nowhere' \(mine\.py, line 1\)"),
        (GOOD.replace("def predict", "def foretell"), "class Mine has no method predict"),
        (f"open({str(Path(__file__))!r})\n" + GOOD, r"is out: it opens .* \(mine\.py, line 1\)"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told_before_the_night(
    tmp_path: Path, text: str | None, told: str
) -> None:
    with pytest.raises(ShopError, match=told):
        check_models(shop_with(tmp_path, text))


def test_a_model_that_can_be_loaded_is_no_fault_and_named(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, GOOD)
    assert check_models(shop) == [entry.name for entry in shop.models] != []


def test_a_model_is_told_by_file_and_class_from_where_one_stands(tmp_path: Path) -> None:
    shop = shop_with(tmp_path / "shop", GOOD)
    (tmp_path / "here.py").write_text("class FadingMean2: ...\n", encoding="utf-8")
    found = model_file("here.py:FadingMean2", shop, tmp_path)
    assert (found.name, found.path) == ("fading_mean2", tmp_path / "here.py")
    assert model_file("mine.py:Mine", shop, tmp_path).path == tmp_path / "shop" / "mine.py"
    with pytest.raises(ShopError, match=r"is no model\. Tell one as own_models/mine\.py:Mine"):
        model_file("here.py", shop, tmp_path)
    with pytest.raises(ShopError, match="cannot be read"):
        model_file("nowhere.py:Mine", shop, tmp_path)
