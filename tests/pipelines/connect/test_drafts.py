"""Sources to be: files of one shape are one pattern, and no pattern takes in what is something else."""

from collections.abc import Collection
from pathlib import Path

from pipelines.connect.drafts import Draft, into_drafts
from pipelines.connect.guess import guess_tables
from pipelines.connect.numbers import with_numbers
from pipelines.connect.samples import sample_of
from pipelines.connect.seen import look_at
from tests.pipelines.connect.composed_files import english_orders, german_orders, shopify_orders, write_rows


def drafts_of(folder: Path, *paths: Path, others: Collection[Path] = ()) -> list[Draft]:
    found = [guess for path in paths for seen in look_at(path) for guess in guess_tables(seen)]
    return into_drafts(found, folder, others)


def test_files_of_one_shape_are_one_source_with_a_pattern(tmp_path: Path) -> None:
    files = [english_orders(tmp_path / "in", f"orders_2025-0{n}.csv") for n in (1, 2, 3)]
    (draft,) = drafts_of(tmp_path, *files)
    assert (draft.source.name, draft.source.path) == ("orders", "in/orders_*.csv")
    assert draft.paths == tuple(files)
    assert draft.rows == 60


def test_a_pattern_takes_in_nothing_else(tmp_path: Path) -> None:
    files = [english_orders(tmp_path, f"{name}.csv") for name in ("a1", "a2")]
    other = write_rows(tmp_path / "a3.csv", ["colour"], [["red"]])
    drafts = drafts_of(tmp_path, *files, others={other})
    assert sorted(draft.source.path or "" for draft in drafts) == ["a1.csv", "a2.csv"]
    assert len({draft.source.name for draft in drafts}) == 2
    (draft,) = drafts_of(tmp_path, *files)
    assert draft.source.path == "a*.csv"


def test_names_with_brackets_are_no_patterns(tmp_path: Path) -> None:
    files = [english_orders(tmp_path, f"orders [copy] {n}.csv") for n in (1, 2)]
    (draft,) = drafts_of(tmp_path, *files)
    assert sorted(tmp_path.glob(draft.source.path or "")) == files


def test_files_of_other_columns_are_other_sources(tmp_path: Path) -> None:
    drafts = drafts_of(tmp_path, english_orders(tmp_path, "a.csv"), german_orders(tmp_path, "b.csv"))
    assert {draft.source.path for draft in drafts} == {"a*.csv", "b*.csv"}
    assert [draft.rows for draft in drafts] == [60, 20], "the largest source of orders is the shop's first"


def test_a_path_is_relative_to_where_shop_toml_stands(tmp_path: Path) -> None:
    (draft,) = drafts_of(tmp_path / "shop" / "here", english_orders(tmp_path / "in"))
    assert draft.source.path == "../../in/orders*.csv"


def test_times_that_say_utc_make_their_source_utc(tmp_path: Path) -> None:
    path = english_orders(
        tmp_path, changes={"Order date": ["x"] * 20, "Created at (UTC)": ["2025-03-01 12:00:00"] * 20}
    )
    (draft,) = drafts_of(tmp_path, path)
    assert draft.source.timezone == "UTC"
    assert "Created at (UTC)" in draft.reasons["timezone"]


def test_a_returns_file_belongs_to_the_orders_whose_numbers_it_names(tmp_path: Path) -> None:
    shopify, till = shopify_orders(tmp_path), english_orders(tmp_path)
    header = ["Return ID", "Order ID", "Return date", "Refund amount"]
    returns = write_rows(
        tmp_path / "returns.csv", header, [[f"R{n}", f"T{n}", "2025-04-01", "9.50"] for n in range(5)]
    )
    drafts = drafts_of(tmp_path, shopify, till, returns)
    settled = with_numbers(drafts, {draft.source.name: sample_of(draft.guess) for draft in drafts})
    owners = {draft.source.path: draft.source.order_numbers for draft in settled if draft.table == "returns"}
    assert owners == {"orders_export_*.csv": None, "returns*.csv": "orders"}
    assert {draft.source.name for draft in settled if draft.table == "orders"} == {"shopify_orders", "orders"}


def test_a_file_alone_leaves_room_for_the_next_of_its_kind(tmp_path: Path) -> None:
    for name, pattern in [
        ("orders_2025-01.csv", "orders_*.csv"),
        ("export 3.csv", "export *.csv"),
        ("lines.csv", "lines*.csv"),
        ("20250101.csv", "20250101.csv"),  # nothing but a date could mean any file
    ]:
        (draft,) = drafts_of(tmp_path / name / "shop", english_orders(tmp_path / name, name))
        assert draft.source.path == f"../{pattern}"


def test_room_for_the_next_file_takes_in_no_other_that_lies_there(tmp_path: Path) -> None:
    (tmp_path / "lines_old.csv").write_text("something else")
    (draft,) = drafts_of(tmp_path, english_orders(tmp_path, "lines.csv"))
    assert draft.source.path == "lines.csv"
