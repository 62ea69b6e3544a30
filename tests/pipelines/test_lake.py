"""Lake: atomic versions, one writer, and plain words when something else lies there."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from data_contracts import ContractError
from pipelines.errors import LakeError
from pipelines.lake import Lake, find_lake_folder

DAY, NEXT, LATER = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.make(tmp_path / "lake", "small_shop")


def faults(*numbers: int) -> pl.LazyFrame:
    rows = [{"delivery_id": "d", "row_number": n, "rule": "r", "severity": "warning"} for n in numbers]
    return pl.LazyFrame(
        rows,
        schema=dict.fromkeys(["delivery_id", "row_number", "rule", "severity"], pl.String)
        | {"row_number": pl.Int64},
    )


def members(day: date, *keys: str) -> pl.LazyFrame:
    names = Lake(Path()).scan("segment_members").collect_schema()
    row = dict.fromkeys(names) | {"as_of": day}
    return pl.LazyFrame([row | {"customer_key": key, "segment": "s"} for key in keys], schema=names)


def numbers(lake: Lake, version: int | None = None) -> list[int]:
    return sorted(lake.scan("orders_faults", version=version).collect()["row_number"])


@pytest.mark.parametrize("name", ["lake", "my lake", "Jörgs Läden", "a#b & c"])
def test_a_lake_may_lie_in_any_folder(tmp_path: Path, name: str) -> None:
    lake = Lake.make(tmp_path / name, "small_shop")
    lake.append("orders_faults", faults(1), fingerprint="a")
    lake.append("orders_faults", faults(2), fingerprint="b")
    lake.replace("segment_members", members(DAY, "x"), fingerprint="c", as_of=DAY)
    assert numbers(Lake.open(tmp_path / name)) == [1, 2]
    assert numbers(lake, version=0) == [1]
    assert lake.scan("segment_members", as_of=DAY).collect().height == 1


def test_a_folder_that_tables_cannot_bear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="has a % in its path"):
        Lake.make(tmp_path / "50%25", "small_shop")


def test_making_a_lake_twice_opens_it(tmp_path: Path) -> None:
    Lake.make(tmp_path / "a" / "lake", "small_shop").append("orders_faults", faults(1), fingerprint="a")
    assert Lake.make(tmp_path / "a" / "lake", "small_shop").names() == ["orders_faults"]


def test_what_is_no_lake_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_anna.txt").write_text("Dear Anna", encoding="utf-8")
    with pytest.raises(LakeError, match=r"letters is not a lake: it holds other things.*--lake"):
        Lake.make(tmp_path / "letters", "small_shop")
    with pytest.raises(LakeError, match="is not a lake"):
        Lake.open(tmp_path / "letters")
    with pytest.raises(LakeError, match=r"does not exist. Run `retention run`"):
        Lake.open(tmp_path / "nothing")
    file = tmp_path / "letters" / "to_anna.txt"
    with pytest.raises(LakeError):
        Lake.make(file, "small_shop")
    with pytest.raises(LakeError):
        Lake.make(file / "lake", "small_shop")
    assert file.read_text(encoding="utf-8") == "Dear Anna"


def test_another_shops_lake_is_refused(tmp_path: Path) -> None:
    Lake.make(tmp_path / "lake", "small_shop")
    with pytest.raises(LakeError, match="is the lake of shop 'small_shop', not of 'other_shop'"):
        Lake.make(tmp_path / "lake", "other_shop")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"format": 99, "shop": "s"}', "has lake format 99; this program reads format 1"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_a_lake_of_another_format_is_refused(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "lake.json").write_text(content, encoding="utf-8")
    with pytest.raises(LakeError, match=says):
        Lake.open(tmp_path)


def test_a_table_never_written_has_no_rows_and_no_version(lake: Lake) -> None:
    assert lake.scan("orders").collect().is_empty()
    assert (lake.version("orders"), lake.fingerprint("orders"), lake.as_of("orders")) == (None, None, None)
    assert (lake.names(), lake.versions()) == ([], {})


def test_every_version_stays_readable(lake: Lake) -> None:
    lake.append("orders_faults", faults(1), fingerprint="a")
    lake.append("orders_faults", faults(2, 3), fingerprint="b")
    lake.replace("orders_faults", faults(9), fingerprint="c")
    assert lake.versions() == {"orders_faults": 2}
    assert [numbers(lake, version) for version in (0, 1, 2, None)] == [[1], [1, 2, 3], [9], [9]]
    assert lake.fingerprint("orders_faults") == "c"


def test_rows_of_other_days_stay_and_each_day_has_its_fingerprint(lake: Lake) -> None:
    lake.replace("segment_members", members(DAY, "x", "y"), fingerprint="a", as_of=DAY)
    lake.replace("segment_members", members(NEXT, "x"), fingerprint="b", as_of=NEXT)
    lake.replace("segment_members", members(DAY, "z"), fingerprint="c", as_of=DAY)
    found = lake.scan("segment_members").sort("as_of").select("as_of", "customer_key").collect().rows()
    assert found == [(DAY, "z"), (NEXT, "x")]
    assert [lake.fingerprint("segment_members", day) for day in (DAY, NEXT, LATER)] == ["c", "b", None]
    assert lake.scan("segment_members", as_of=NEXT).collect()["customer_key"].to_list() == ["x"]


def test_a_table_of_the_newest_day_knows_which_it_is(lake: Lake) -> None:
    lake.replace("orders_faults", faults(1), fingerprint="a", day=DAY)
    assert lake.as_of("orders_faults") == DAY
    lake.replace("orders_faults", faults(1), fingerprint="b")
    assert lake.as_of("orders_faults") is None


def test_undo_brings_back_rows_fingerprint_and_day(lake: Lake) -> None:
    lake.replace("orders_faults", faults(1), fingerprint="a", day=DAY)
    lake.replace("orders_faults", faults(2), fingerprint="b", day=NEXT)
    lake.undo("orders_faults")
    assert (numbers(lake), lake.fingerprint("orders_faults"), lake.as_of("orders_faults")) == ([1], "a", DAY)
    lake.replace("orders_faults", faults(3), fingerprint="c", day=LATER)
    lake.undo("orders_faults")
    assert (numbers(lake), lake.fingerprint("orders_faults")) == ([1], "a")


def test_undo_of_one_day_leaves_no_trace_of_it_and_nothing_of_the_others_changes(lake: Lake) -> None:
    lake.replace("segment_members", members(DAY, "good"), fingerprint="a", as_of=DAY)
    lake.replace("segment_members", members(NEXT, "good"), fingerprint="b", as_of=NEXT)
    for day in (DAY, LATER):
        lake.replace("segment_members", members(day, "bad"), fingerprint="bad", as_of=day)
        lake.undo("segment_members")
    assert [lake.fingerprint("segment_members", day) for day in (DAY, NEXT, LATER)] == ["a", "b", None]
    assert set(lake.scan("segment_members").collect()["customer_key"]) == {"good"}


def test_undo_of_the_first_version_leaves_no_table(lake: Lake) -> None:
    lake.append("orders_faults", faults(1), fingerprint="a")
    lake.undo("orders_faults")
    assert lake.names() == []


@pytest.mark.parametrize("how", ["append", "replace"])
def test_a_write_that_fails_half_way_changes_nothing(lake: Lake, how: str) -> None:
    lake.append("orders_faults", faults(1), fingerprint="a")
    broken = faults(2, 3).with_columns(pl.col("rule").cast(pl.Int64).cast(pl.String))
    with pytest.raises(LakeError, match=r"Table orders_faults cannot be written .* Nothing was changed"):
        getattr(lake, how)("orders_faults", broken, fingerprint="b")
    assert (numbers(lake), lake.version("orders_faults"), lake.fingerprint("orders_faults")) == ([1], 0, "a")


def test_columns_that_the_dictionary_does_not_know_are_refused(lake: Lake) -> None:
    with pytest.raises(ContractError, match="columns the dictionary does not know: extra"):
        lake.append("orders_faults", faults(1).with_columns(pl.lit(1).alias("extra")), fingerprint="a")
    assert not lake.has("orders_faults")


HOLDER = """
import sys, time
from pathlib import Path
from pipelines.lake import Lake
with Lake.open(Path(sys.argv[1])).lock("retention run"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_is_told_who_holds_the_lake_and_gets_it_when_the_holder_is_killed(lake: Lake) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lake.root)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        says = rf"is being written by `retention run` \(process {holder.pid}, since .* UTC\)\. Wait"
        with pytest.raises(LakeError, match=says), lake.lock("another run"):
            raise AssertionError("two writers")
        holder.kill()
        holder.wait()
    with lake.lock("another run"):
        assert "another run" in (lake.root / ".lock.holder").read_text(encoding="utf-8")
    assert not (lake.root / ".lock.holder").exists()


def test_the_lock_is_freed_when_its_run_fails(lake: Lake) -> None:
    with pytest.raises(ZeroDivisionError), lake.lock("a run that fails"):
        raise ZeroDivisionError
    with lake.lock("the next"), pytest.raises(LakeError, match="`the next`"), lake.lock("one too many"):
        pass


def test_a_lake_lies_where_it_is_named_else_beside_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETENTION_LAKE", raising=False)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert find_lake_folder("small_shop") == tmp_path / "notebooks" / "lake" / "small_shop"
    (tmp_path / "workspace.yaml").touch()
    assert find_lake_folder("small_shop") == tmp_path / "lake" / "small_shop"
    monkeypatch.setenv("RETENTION_LAKE", str(tmp_path / "other"))
    assert find_lake_folder("small_shop") == tmp_path / "other"
    assert find_lake_folder("small_shop", "mine") == tmp_path / "notebooks" / "mine"
