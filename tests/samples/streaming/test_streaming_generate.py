from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from homefeed.samples import END
from homefeed.samples.streaming import generate as module
from homefeed.samples.streaming.generate import DEFAULTS, World, generate, plan_world
from homefeed.samples.streaming.titles import CONTENT_TYPES, GENRES, STYLES

DAYS = 90
COLUMNS = {
    "users": ["user_id", "age", "gender", "region"],
    "items": ["item_id", "title", "content_type", "genre"],
    "events": ["user_id", "item_id", "event_type", "watch_seconds", "timestamp"],
    "truth_users": ["user_id", "tastes"],
}


@dataclass(frozen=True)
class Sample:
    folder: Path
    users: pl.DataFrame
    items: pl.DataFrame
    events: pl.DataFrame
    truth: pl.DataFrame
    world: World


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("streaming")
    generate(folder)
    tables = {name: pl.read_csv(folder / f"{name}.csv") for name in COLUMNS}
    time = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC").alias("time")
    events = tables["events"].with_columns(time)
    world = plan_world(replace(DEFAULTS, days=DAYS))
    return Sample(folder, tables["users"], tables["items"], events, tables["truth_users"], world)


def rows(ids: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return ids.str.slice(1).cast(pl.Int64).to_numpy() - 1


def test_the_summary_names_what_was_written(tmp_path: Path) -> None:
    summary = generate(tmp_path / "new" / "folder", users=50, items=40, events=700, days=10)
    assert (summary.users, summary.items, summary.events) == (50, 40, 700)
    assert [path.name for path in summary.files] == ["users.csv", "items.csv", "events.csv", "truth_users.csv"]
    assert [pl.read_csv(path).height for path in summary.files] == [50, 40, 700, 50]


def test_the_files_have_the_columns_of_the_contract(sample: Sample) -> None:
    for name, columns in COLUMNS.items():
        with (sample.folder / f"{name}.csv").open() as file:
            assert file.readline().rstrip("\n").split(",") == columns


def test_values_are_those_of_the_contract(sample: Sample) -> None:
    assert sample.users["age"].is_between(16, 85).all()
    assert set(sample.users["gender"]) == {"M", "F", "O"}
    assert set(sample.items["content_type"]) == set(CONTENT_TYPES)
    genres = sample.items["genre"].str.split("|")
    assert set(genres.explode()) == set(GENRES)
    assert set(genres.list.len()) == {1, 2}
    assert genres.list.n_unique().equals(genres.list.len())
    assert sample.events["event_type"].unique().to_list() == ["play"]
    assert sample.events["watch_seconds"].is_between(5, 4 * 3_600).all()
    assert not sample.events.select(pl.all().is_null().any()).row(0).count(True)


def test_every_event_names_a_known_user_and_item(sample: Sample) -> None:
    assert sample.events["user_id"].is_in(sample.users["user_id"].to_list()).all()
    assert sample.events["item_id"].is_in(sample.items["item_id"].to_list()).all()
    assert sample.users["user_id"].is_unique().all()
    assert sample.items["item_id"].is_unique().all()


def test_no_user_plays_twice_in_the_same_second(sample: Sample) -> None:
    assert not sample.events.select("user_id", "timestamp").is_duplicated().any()


def test_events_are_sorted_and_inside_the_window(sample: Sample) -> None:
    time = sample.events["time"]
    assert time.is_sorted()
    assert time.min() >= END - timedelta(days=DAYS)  # type: ignore[operator]  # polars knows no time zone
    assert time.max() < END  # type: ignore[operator]


def test_nothing_is_played_before_it_is_available(sample: Sample) -> None:
    available = sample.world.catalogue.available
    played = sample.events["time"].dt.epoch("s").to_numpy()
    item = rows(sample.events["item_id"])
    assert (played >= available[item]).all()
    is_new = available > sample.world.begin
    assert 0.15 < is_new.mean() < 0.35
    assert is_new[item].mean() > 0.05


def test_the_busiest_users_of_a_single_day_stay_inside_it(tmp_path: Path) -> None:
    end = datetime(2025, 6, 15, 13, 45, 30, tzinfo=UTC)
    generate(tmp_path, users=3, items=5, events=600, days=1, end=end)
    events = pl.read_csv(tmp_path / "events.csv")
    world = plan_world(replace(DEFAULTS, users=3, items=5, days=1, end=end))
    time = events["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s").to_numpy()
    assert time.min() >= world.begin
    assert time.max() < world.end
    assert (time >= world.catalogue.available[rows(events["item_id"])]).all()
    assert not events.select("user_id", "timestamp").is_duplicated().any()


def test_evenings_and_weekends_are_busy(sample: Sample) -> None:
    hour, weekday = sample.events["time"].dt.hour(), sample.events["time"].dt.weekday()
    assert hour.is_between(19, 22).mean() > 3 * hour.is_between(6, 9).mean()  # type: ignore[operator]
    weekend = sample.events.filter(weekday >= 6).height / 2
    workday = sample.events.filter(weekday < 6).height / 5
    assert weekend > 1.2 * workday


def test_popularity_follows_a_power_law(sample: Sample) -> None:
    plays = np.sort(np.bincount(rows(sample.events["item_id"]), minlength=3_000))[::-1]
    assert plays[:300].sum() > 0.4 * plays.sum()
    assert plays[0] < 0.05 * plays.sum()


def test_activity_is_skewed_and_some_users_are_cold(sample: Sample) -> None:
    plays = np.bincount(rows(sample.events["user_id"]), minlength=2_000)
    assert 40 <= (plays == 0).sum() <= 200
    assert plays.mean() > 1.3 * np.median(plays)


def test_planted_tastes_show_in_what_is_played(sample: Sample) -> None:
    top = sample.truth.select("user_id", top=pl.col("tastes").str.extract(r"^([^:]+):"))
    plays = sample.events.join(sample.items, on="item_id").join(top, on="user_id")
    genres = pl.col("genre").str.split("|")
    of_top = plays.select(genres.list.contains(pl.col("top")).mean()).item()
    shuffled = pl.col("top").shuffle(seed=0)
    by_chance = plays.select(genres.list.contains(shuffled).mean()).item()
    assert of_top > 0.5
    assert of_top > 3 * by_chance


def test_hidden_styles_tell_more_than_genres(sample: Sample) -> None:
    """Two plays of one user in one genre share a style far more often than any two plays."""
    segment = sample.world.catalogue.segment[rows(sample.events["item_id"])]
    counts = np.zeros((2_000, len(GENRES) * STYLES))
    np.add.at(counts, (rows(sample.events["user_id"]), segment), 1)

    def agreement(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        by_genre = table.reshape(len(table), len(GENRES), STYLES)
        plays = by_genre.sum(axis=2)
        pairs = (plays * (plays - 1)).sum(axis=1)
        same = (by_genre * (by_genre - 1)).sum(axis=(1, 2))
        return float((same[pairs > 0] / pairs[pairs > 0]).mean())

    assert agreement(counts) > 1.6 * agreement(counts.sum(axis=0, keepdims=True))


def test_truth_lists_one_to_three_tastes_that_sum_to_one(sample: Sample) -> None:
    assert sample.truth["user_id"].equals(sample.users["user_id"])
    tastes = [dict(pair.split(":") for pair in text.split("|")) for text in sample.truth["tastes"]]
    assert {len(taste) for taste in tastes} == {1, 2, 3}
    for taste in tastes:
        weights = [float(weight) for weight in taste.values()]
        assert set(taste) <= set(GENRES)
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) == pytest.approx(1, abs=0.002)


def test_regions_prefer_different_content_types(sample: Sample) -> None:
    plays = sample.events.join(sample.items, on="item_id").join(sample.users, on="user_id")
    share = plays.group_by("region").agg((pl.col("content_type") == "microdrama").mean())["content_type"]
    assert share.max() > 1.4 * share.min()  # type: ignore[operator]


def test_watching_lasts_as_long_as_its_type(sample: Sample) -> None:
    plays = sample.events.join(sample.items, on="item_id").group_by("content_type")
    longest = dict(plays.agg(pl.col("watch_seconds").quantile(0.9)).iter_rows())
    assert 60 < longest["microdrama"] < 180
    assert 1_200 < longest["tv"] < 2_400
    assert 2_200 < longest["series"] < 4_500
    assert 5_000 < longest["movie"] < 10_000


def test_some_plays_are_finished_and_some_are_abandoned(sample: Sample) -> None:
    full = sample.world.catalogue.seconds[rows(sample.events["item_id"])]
    watched = sample.events["watch_seconds"].to_numpy() / full
    assert watched.max() <= 1.06  # five seconds of the shortest microdrama
    assert (watched > 0.85).mean() > 0.3
    assert (watched < 0.5).mean() > 0.15


def test_series_are_binged_and_films_are_not(sample: Sample) -> None:
    plays = sample.events.join(sample.items, on="item_id")
    pairs = plays.group_by("content_type", "user_id", "item_id").len()
    often = dict(pairs.group_by("content_type").agg((pl.col("len") >= 3).mean()).iter_rows())
    assert often["series"] > 0.05
    assert often["series"] > 5 * often["movie"]


def test_plays_come_in_sessions(sample: Sample) -> None:
    gap = sample.events.sort("user_id", "time").select(pl.col("time").diff().over("user_id").dt.total_minutes())
    assert gap.filter(pl.col("time") < 60).height > 0.3 * gap.height


def test_titles_are_unique_and_readable(sample: Sample) -> None:
    titles = sample.items["title"]
    assert titles.is_unique().all()
    assert not titles.str.contains(r"\b(the the|The the)\b|\{|\}|  ").any()
    assert titles.str.contains(r"\d").mean() < 0.2  # type: ignore[operator]
    assert titles.str.contains(": Season 2$").any()


def test_a_season_two_continues_an_earlier_item_of_the_same_kind(sample: Sample) -> None:
    second = sample.items.with_row_index().filter(pl.col("title").str.ends_with(": Season 2"))
    first = sample.items.with_row_index().with_columns(title=pl.col("title") + ": Season 2")
    both = second.join(first, on="title")
    assert both.height == second.height
    assert (both["index"] > both["index_right"]).all()
    assert (both["genre"] == both["genre_right"]).all()
    assert (both["content_type"] == both["content_type_right"]).all()


def test_titles_stay_unique_in_a_large_catalogue() -> None:
    titles = plan_world(replace(DEFAULTS, users=1, items=30_000, days=30, seed=3)).catalogue.title
    assert len(set(titles)) == 30_000


def test_many_chunks_have_the_shape_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[int, int]] = []
    options: dict[str, Any] = {"users": 500, "items": 400, "events": 30_000, "days": 30}
    generate(tmp_path / "one", **options, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(30_000, 30_000)]
    monkeypatch.setattr(module, "_CHUNK", 1_000)
    steps.clear()
    generate(tmp_path / "many", **options, progress=lambda done, total: steps.append((done, total)))
    assert len(steps) > 15
    assert steps == sorted(set(steps))
    assert steps[-1] == (30_000, 30_000)
    one, many = (pl.read_csv(tmp_path / name / "events.csv") for name in ("one", "many"))
    assert one.schema == many.schema
    assert many["timestamp"].is_sorted()
    assert many.height == one.height
    # Chunks hold whole users: how much each plays does not depend on the cut.
    count = [table.group_by("user_id").len().sort("user_id") for table in (one, many)]
    assert count[0].equals(count[1])
    assert many["watch_seconds"].mean() == pytest.approx(one["watch_seconds"].mean(), rel=0.05)


@pytest.mark.parametrize("size", [{"users": 1}, {"items": 1}, {"events": 1}, {"users": 1, "items": 1, "days": 1}])
def test_the_smallest_worlds_work(tmp_path: Path, size: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"users": 20, "items": 20, "events": 150, "days": 7} | size
    generate(tmp_path, **sizes)
    assert pl.read_csv(tmp_path / "events.csv").height == sizes["events"]
