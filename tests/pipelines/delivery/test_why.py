"""Why a person is on a list or is not, and lists tried out: both agree with what the night's run decided. Composed."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from pipelines.delivery.night import tables_of
from pipelines.delivery.why import Explained, why
from pipelines.errors import LabError, ShopError
from pipelines.lab import Lab
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot
from tests.pipelines.command import assert_plain, retention
from tests.pipelines.published_shops import AS_OF, publish, regulars
from tests.pipelines.small_shops import deliver, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

LISTS = """
[consent]
when_not_delivered = "allow"

[contact_cap]
times = 2
days = 30

[[lists]]
name = "frequent"
title = "Frequent"
purpose = "loyalty"
where = "valid_orders >= 3"
order_by = "valid_orders DESC"
reason = "placed {valid_orders} orders"
limit = 6
hold_out = 0.3

[[lists]]
name = "everybody"
title = "Everybody"
purpose = "loyalty"
where = "true"
reason = "is a customer"
exclusive = true

[[lists]]
name = "top"
title = "Upper half"
purpose = "value"
where = "percent_rank() OVER (ORDER BY historic_clv) >= 0.5"
reason = "spent {historic_clv}"

[[lists]]
name = "capped"
title = "Whoever is left"
purpose = "other"
where = "last_nps > 3 OR valid_orders >= 1"
reason = "is left"
cap = { times = 1, days = 7 }
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Lake]:
    folder = tmp_path_factory.mktemp("why")
    shop = write_shop(folder, more=LISTS)
    deliver(folder, "orders", "1", regulars())
    lake = Lake.make(folder / "lake", shop.name)
    publish(shop, lake)
    return shop, lake


def told(published: tuple[Shop, Lake], person: int) -> dict[str, Explained]:
    return {one.title: one for one in why(*published, str(person))}


def test_one_person_at_a_time_gives_the_counts_of_the_night(published: tuple[Shop, Lake]) -> None:
    _, lake = published
    asked = Counter((one.list_id, one.because) for n in range(1, 13) for one in told(published, n).values())
    stops = tables_of(lake, newest_snapshot(lake)).of_day("list_stops").collect()
    assert asked == Counter({(row["list_id"], row["because"]): row["customers"] for row in stops.to_dicts()})
    assert {because for _, because in asked} >= {"rule", "limit", "lot", "passes", "other_list", "written_to"}


def test_words_have_the_values_that_decided(published: tuple[Shop, Lake]) -> None:
    first = told(published, 1)["Frequent"]
    assert (first.step, first.because) == ("not_eligible", "rule")
    assert first.says == "does not fit the rule (valid_orders is 1)"
    reasons = [one for n in range(1, 13) if (one := told(published, n)["Frequent"]).step == "deliverable"]
    assert reasons
    assert all(one.says.startswith("placed ") for one in reasons)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("somebody@firm.co.uk", "No list looked at anybody of that name"),
        ("ffffffffffffffffffffffff", "Nobody of that name"),
    ],
)
def test_somebody_whom_no_list_looked_at_is_told_plainly(
    asked: str, words: str, published: tuple[Shop, Lake]
) -> None:
    with pytest.raises(LabError, match=words):
        why(*published, asked)


def test_a_list_tried_out_is_the_list_that_the_night_makes_and_touches_nothing(
    published: tuple[Shop, Lake],
) -> None:
    shop, lake = published
    lab = Lab(shop, lake, newest_snapshot(lake).as_of, newest_snapshot(lake))
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*") if path.is_file()}
    last = shop.lists[-1]
    tried = lab.preview(last)
    made = lab.read("list_members").filter(list_id=f"{last.name}-{lab.as_of}").sort("position").collect()
    columns = ["customer_key", "assignment", "position", "reason"]
    assert tried.members.select(columns).equals(made.select(columns))
    campaign = lab.read("campaign_lists").collect().row(by_predicate=pl.col("name") == last.name, named=True)
    counts = ("everyone", "not_eligible", "capped", "held_out", "deliverable", "detectable_lift")
    assert {name: tried.campaign[name] for name in counts} == {name: campaign[name] for name in counts}
    assert str(tried).startswith("Whoever is left: ")
    assert before == {path: path.stat().st_mtime_ns for path in lake.root.rglob("*") if path.is_file()}


def test_settings_that_make_no_list_are_told_with_what_there_is(published: tuple[Shop, Lake]) -> None:
    shop, lake = published
    lab = Lab(shop, lake, newest_snapshot(lake).as_of, newest_snapshot(lake))
    assert lab.preview({"where": "valid_orders >= 2"}).campaign["title"] == "Preview"
    with pytest.raises(
        ShopError, match=r"hold_out: Input should be less than 1.*Known settings: name, title"
    ):
        lab.preview({"where": "true", "hold_out": 2})
    with pytest.raises(ShopError, match="Give the settings of a list by name"):
        lab.preview("valid_orders >= 2")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShopError, match=r"no column 'valid_order'. Did you mean valid_orders"):
        lab.preview({"where": "valid_order >= 2"})
    with pytest.raises(
        ShopError, match=r"columns: customer_profile has no column 'stages'. Did you mean one of stage"
    ):
        lab.preview({"where": "true", "columns": ["stages"]})


def test_the_command_says_it_too(published: tuple[Shop, Lake], tmp_path: Path) -> None:
    shop, lake = published
    asked = ("lists", "--shop", shop.folder, "--lake", lake.root, "--why")
    shown = retention(*asked, "12", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert f"everybody-{AS_OF}: " in shown.stdout
    assert_plain(retention(*asked, "f" * 24, folder=tmp_path), "Nobody of that name is known")
