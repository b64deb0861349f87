from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.samples.shop.shop_files import COLUMNS, DAY, LAST, Sample, read

from homefeed.samples import END
from homefeed.samples.shop import trips as module
from homefeed.samples.shop.generate import ACTIONS, generate


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("shop")
    generate(folder)
    return read(folder)


def test_the_summary_names_what_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    summary = generate(folder, users=50, items=40, events=700, days=10)
    assert (summary.users, summary.items, summary.events) == (50, 40, 700)
    tables = {str(path.relative_to(folder)): pl.read_csv(path) for path in summary.files}
    assert {name.removesuffix(".csv"): " ".join(table.columns) for name, table in tables.items()} == COLUMNS
    assert [table.height for table in tables.values()][:5] == [40, 50, 700, 50, 40]


def test_users_are_letters_and_digits(sample: Sample) -> None:
    assert sample.users.height == 600
    assert sample.users["user_id"].is_unique().all()
    assert sample.users["user_id"].str.contains(r"^[A-Za-z0-9]{1,50}$").all()
    assert sample.true_users["user_id"].equals(sample.users["user_id"])


def test_events_are_of_a_product_or_a_query_and_known(sample: Sample) -> None:
    events = sample.events
    assert events.height == 40_000
    assert set(events["event_type"]) == set(ACTIONS)
    is_search = events["event_type"] == "search_query"
    assert (events["query"].is_not_null() == is_search).all()
    assert (events["product_id"].is_null() == is_search).all()
    assert set(events["product_id"].drop_nulls()) <= set(sample.products["id"])
    assert set(events["user_id"]) <= set(sample.users["user_id"])
    assert 0.15 < is_search.mean() < 0.35  # type: ignore[operator]
    assert 0.05 < (events["event_type"] == "purchase").mean() < 0.2  # type: ignore[operator]


def test_events_are_sorted_and_end_on_the_fixed_day(sample: Sample) -> None:
    time = sample.events["time"]
    assert time.is_sorted()
    assert time.min() >= LAST - 90 * DAY  # type: ignore[operator]
    assert LAST - DAY <= time.max() < LAST  # type: ignore[operator]
    hour = np.bincount(pl.from_epoch(time).dt.hour().to_numpy(), minlength=24)
    assert hour[19:22].sum() > 8 * hour[2:5].sum()


def test_nothing_is_clicked_before_it_arrives(tmp_path: Path) -> None:
    generate(tmp_path, users=100, items=600, events=8_000, dated=True)
    products = pl.read_csv(tmp_path / "products.csv").select("id", "created_at")
    assert products["created_at"].str.contains(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$").all()
    events = pl.read_csv(tmp_path / "events.csv").drop_nulls("product_id")
    joined = events.join(products, left_on="product_id", right_on="id")
    assert joined.height == events.height
    assert (joined["timestamp"] >= joined["created_at"]).all()
    assert 0.1 < (products["created_at"] > events["timestamp"].min()).mean() < 0.3  # type: ignore[operator]
    assert joined.filter(pl.col("created_at") > events["timestamp"].min()).height > 0.03 * events.height


def test_many_rounds_have_the_shape_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {"users": 300, "items": 400, "events": 12_000}
    steps: list[tuple[int, int]] = []
    generate(tmp_path / "one", **options, progress=lambda done, total: steps.append((done, total)))
    assert steps == sorted(set(steps))
    assert steps[-1] == (12_000, 12_000)
    monkeypatch.setattr(module, "_TRIPS_AT_ONCE", 300)
    steps.clear()
    generate(tmp_path / "many", **options, progress=lambda done, total: steps.append((done, total)))
    assert len(steps) > 5
    one, many = (read(tmp_path / name).events for name in ("one", "many"))
    assert one.height == many.height
    for action in ACTIONS:
        shares = [(events["event_type"] == action).mean() for events in (one, many)]
        assert shares[0] == pytest.approx(shares[1], abs=0.02)


@pytest.mark.parametrize(
    "size",
    [
        {"users": 1, "items": 1, "events": 1},
        {"users": 1},
        {"items": 1},
        {"events": 1},
        {"items": 2, "users": 9, "events": 900},
        {"users": 40, "items": 60, "events": 500, "days": 1},
        {"users": 600, "events": 10},
        {"days": 61},
        {"seed": 3, "end": datetime(2025, 6, 15, 13, 45, 30, tzinfo=UTC)},
    ],
)
def test_small_worlds_work(tmp_path: Path, size: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"users": 20, "items": 20, "events": 150, "days": 7} | size
    generate(tmp_path, **sizes)
    written = read(tmp_path)
    assert (written.users.height, written.products.height) == (sizes["users"], sizes["items"])
    assert written.events.height == sizes["events"]
    assert set(written.events["product_id"].drop_nulls()) <= set(written.products["id"])
    end = int(sizes.get("end", END).timestamp())
    assert written.events["time"].is_between(end - sizes["days"] * DAY, end - 1).all()
