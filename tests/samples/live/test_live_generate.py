from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from homefeed.samples import DAY, END, HOUR
from homefeed.samples.cities import load_cities
from homefeed.samples.live import watching
from homefeed.samples.live.categories import CATEGORIES, STYLES
from homefeed.samples.live.generate import DEFAULTS, generate, plan_world
from homefeed.samples.live.watching import World, draw_interactions

COLUMNS = {
    "users": "user_id latitude longitude city language preferred_categories local_preference_strength"
    " total_watch_hours",
    "streams": "stream_id latitude longitude city language category_id stream_quality_score avg_viewer_count"
    " creator_followers is_partnered mature_content is_live viewer_count",
    "interactions": "user_id stream_id watch_time rating timestamp",
    "click_samples": "user_id stream_id distance_km proximity_boost is_local_match is_regional_match same_city"
    " same_language user_local_preference user_total_watch_hours stream_quality_score stream_avg_viewers"
    " creator_followers is_partnered mature_content category_match clicked",
}
SIZES: dict[str, Any] = {"users": 400, "items": 200, "events": 12_000, "days": 28, "clicks": 500}
BEGIN, LAST = int(END.timestamp()) - 28 * DAY, int(END.timestamp())


@dataclass(frozen=True)
class Sample:
    folder: Path
    users: pl.DataFrame
    streams: pl.DataFrame
    interactions: pl.DataFrame
    clicks: pl.DataFrame
    world: World

    @property
    def watched(self) -> pl.DataFrame:
        streams = self.streams.rename({name: f"stream_{name}" for name in ("city", "language")})
        return self.interactions.join(self.users, on="user_id").join(streams, on="stream_id")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("live")
    generate(folder, **SIZES)
    users, streams, interactions, clicks = (pl.read_parquet(folder / f"{name}.parquet") for name in COLUMNS)
    return Sample(folder, users, streams, interactions, clicks, plan_world(replace(DEFAULTS, **SIZES)))


def rows(ids: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return ids.str.extract(r"_0*(\d+)$").cast(pl.Int64).to_numpy() - 1


def test_the_summary_names_what_was_written(tmp_path: Path) -> None:
    summary = generate(tmp_path / "new" / "folder", users=40, items=50, events=300, days=9, clicks=70)
    assert (summary.users, summary.items, summary.events) == (40, 50, 300)
    tables = [path for path in summary.files if path.parent.name != "truth"]
    assert [path.name for path in tables] == [f"{name}.parquet" for name in COLUMNS]
    assert [pl.read_parquet(path).height for path in tables] == [40, 50, 300, 70]


def test_by_default_it_has_the_size_of_the_contract() -> None:
    assert (DEFAULTS.users, DEFAULTS.items, DEFAULTS.clicks, DEFAULTS.format) == (1_000, 500, 25_000, "parquet")
    world = plan_world(DEFAULTS)
    assert len(set(world.streams.at.city)) == len(set(world.viewers.at.city)) == 32


def test_the_files_have_the_columns_of_the_contract(sample: Sample) -> None:
    for name, columns in COLUMNS.items():
        assert list(pl.read_parquet_schema(sample.folder / f"{name}.parquet")) == columns.split()


def test_streams_can_be_dated(tmp_path: Path) -> None:
    generate(tmp_path, **SIZES | {"events": 10}, dated=True)
    created = pl.read_parquet(tmp_path / "streams.parquet")["created_at"]
    assert created.is_between(BEGIN - 1, LAST - 1).all()


def test_values_are_those_of_the_contract(sample: Sample) -> None:
    users, streams, watched = sample.users, sample.streams, sample.interactions
    assert users["user_id"][0] == "user_000001"
    assert streams["stream_id"][-1] == "stream_000200"
    assert users["local_preference_strength"].is_between(0, 1).all()
    assert (users["total_watch_hours"] >= 0).all()
    assert users["preferred_categories"].dtype == pl.List(pl.Int64)
    told = users["preferred_categories"]
    assert told.list.len().is_between(1, 5).all()
    assert set(told.explode()) == set(streams["category_id"]) == set(range(len(CATEGORIES)))
    assert streams["stream_quality_score"].is_between(1, 10).all()
    assert streams["avg_viewer_count"].is_between(8, 150_000).all()
    assert watched["watch_time"].is_between(1, 6 * HOUR).all()
    assert set(watched["rating"].drop_nulls()) == {1, 2, 3, 4, 5}
    assert watched["timestamp"].is_between(BEGIN, LAST - 1).all()
    assert watched["timestamp"].is_sorted()
    assert (watched["timestamp"] + watched["watch_time"]).max() <= LAST  # type: ignore[operator]
    for table in (users, streams, watched.drop("rating"), sample.clicks):
        assert not any(table.null_count().row(0))


def test_every_interaction_names_a_known_user_and_stream(sample: Sample) -> None:
    assert sample.watched.height == sample.interactions.height == 12_000
    assert sample.users["user_id"].is_unique().all()
    assert sample.streams["stream_id"].is_unique().all()


def test_quality_and_audience_follow_power_laws() -> None:
    streams = plan_world(replace(DEFAULTS, items=20_000)).streams
    for column, exponent, low in ((streams.quality, 0.6, 1.0), (streams.audience, 0.9, 8.0)):
        highest = 10.0 if low == 1.0 else 150_000.0
        for times in (2, 4):  # P(x > times * low) of the truncated law
            cut = (highest / low) ** -exponent
            expected = (times**-exponent - cut) / (1 - cut)
            assert (column >= low * times).mean() == pytest.approx(expected, abs=0.015)
    assert np.corrcoef(streams.quality, np.log(streams.audience))[0, 1] > 0.3


def test_what_is_live_has_viewers_and_what_is_not_has_none(sample: Sample) -> None:
    streams = sample.streams
    assert ((streams["viewer_count"] > 0) == streams["is_live"]).all()
    assert 0.25 < streams["is_live"].mean() < 0.65  # type: ignore[operator]
    on_air = sample.world.streams.on_air(np.arange(200, dtype=np.int32), LAST)
    assert (on_air == streams["is_live"].to_numpy()).all()


def test_streams_are_watched_while_they_are_on_air_and_not_before_they_came(sample: Sample) -> None:
    item, time = rows(sample.interactions["stream_id"]), sample.interactions["timestamp"].to_numpy()
    assert sample.world.streams.on_air(item.astype(np.int32), time).mean() > 0.99
    created = sample.world.streams.created
    assert (time >= created[item]).all()
    assert (created[item] > BEGIN).mean() > 0.03


def test_evenings_are_busy_where_the_user_is(sample: Sample) -> None:
    offset = dict(zip(load_cities().name, load_cities().offset.tolist(), strict=True))
    watched = sample.watched
    hour = (watched["timestamp"] + watched["city"].replace_strict(offset)) % DAY // HOUR
    assert hour.is_between(19, 22).mean() > 4 * hour.is_between(5, 8).mean()  # type: ignore[operator]
    weeks = sample.interactions["timestamp"].hist([BEGIN + week * 7 * DAY for week in range(5)])["count"]
    assert weeks.min() > 0.8 * weeks.max()  # type: ignore[operator]


def test_nobody_begins_twice_in_a_second_and_some_never_begin(sample: Sample) -> None:
    assert not sample.interactions.select("user_id", "timestamp").is_duplicated().any()
    cold = set(sample.users["user_id"]) - set(sample.interactions["user_id"])
    assert 12 <= len(cold) < 30
    hours = sample.users.filter(pl.col("total_watch_hours") == 0)["user_id"]
    assert set(hours) <= cold


def test_nearness_matters_more_to_those_who_prefer_it(sample: Sample) -> None:
    strength = pl.col("local_preference_strength")
    near = pl.col("city") == pl.col("stream_city")
    few, many = (sample.watched.filter(those) for those in (strength < 0.3, strength > 0.7))
    assert many.select(near.mean()).item() > 1.5 * few.select(near.mean()).item()

    def longer(table: pl.DataFrame) -> float:
        """How much longer a stream near the user is watched than another, as a logarithm."""
        log = pl.col("watch_time").log()
        ratio: float = table.select(log.filter(near).mean() - log.filter(~near).mean()).item()
        return ratio

    assert longer(many) > longer(few) + 0.5


def test_hidden_styles_tell_more_than_categories() -> None:
    """Two streams that a user watched in one category share a style far more often than any two watched."""
    sample = replace(DEFAULTS, users=400, items=2_000)
    world = plan_world(sample)
    pairs = draw_interactions(world, 12_000, sample.rng(2), None).select("user", "item").unique()
    user, segment = pairs["user"].to_numpy(), world.streams.segment[pairs["item"].to_numpy()]
    counts = np.zeros((400, len(CATEGORIES) * STYLES))
    np.add.at(counts, (user, segment), 1)

    def agreement(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        by_category = table.reshape(len(table), len(CATEGORIES), STYLES)
        watched = by_category.sum(axis=2)
        return float((by_category * (by_category - 1)).sum() / (watched * (watched - 1)).sum())

    assert agreement(counts) > 1.5 * agreement(counts.sum(axis=0, keepdims=True))


def test_ratings_are_optional_and_go_with_time_watched(sample: Sample) -> None:
    rated = sample.interactions.drop_nulls("rating")
    assert 0.3 < rated.height / sample.interactions.height < 0.4
    by_rating = rated.group_by("rating").agg(pl.col("watch_time").median()).sort("rating")["watch_time"]
    assert by_rating[-1] > 1.5 * by_rating[1]


def test_the_truth_tells_tastes_styles_and_parameters(sample: Sample) -> None:
    truth = {path.stem: pl.read_csv(path) for path in (sample.folder / "truth").iterdir()}
    assert set(truth) == {"affinity", "categories", "clicks", "streams", "users"}
    assert truth["categories"]["name"].to_list() == list(CATEGORIES)
    assert truth["users"]["user_id"].equals(sample.users["user_id"])
    assert truth["users"]["tastes"].str.contains(r"^\d+:\d=1\.000(\|\d+:\d=[01]\.\d{3})*$").all()
    style = truth["streams"]["style"].str.split(":").list.to_struct(fields=["category", "style"]).struct.unnest()
    assert style["category"].cast(pl.Int32).equals(sample.streams["category_id"])
    assert truth["clicks"].select("user_id", "stream_id").equals(sample.clicks.select("user_id", "stream_id"))
    assert set(truth["affinity"]["term"]) > {"local", "regional", "taste", "click_intercept"}


def test_many_chunks_have_the_shape_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SIZES | {"events": 4_000}
    steps: list[tuple[int, int]] = []
    generate(tmp_path / "one", **sizes, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(4_000, 4_000)]
    monkeypatch.setattr(watching, "_CHUNK", 500)
    steps.clear()
    generate(tmp_path / "many", **sizes, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, 4_000) for done in range(500, 4_001, 500)]
    one, many = (pl.read_parquet(tmp_path / name / "interactions.parquet") for name in ("one", "many"))
    assert many.select("user_id", "timestamp").equals(one.select("user_id", "timestamp"))
    assert many["watch_time"].mean() == pytest.approx(one["watch_time"].mean(), rel=0.08)


@pytest.mark.parametrize(
    "size",
    [{"users": 1}, {"items": 1}, {"events": 1}, {"clicks": 1}, {"users": 1, "items": 1, "days": 1}],
)
def test_the_smallest_worlds_work(tmp_path: Path, size: dict[str, Any]) -> None:
    end = datetime(2025, 6, 15, 13, 45, 30, tzinfo=UTC)
    sizes: dict[str, Any] = {"users": 20, "items": 20, "events": 150, "days": 7, "clicks": 30} | size
    generate(tmp_path, **sizes, end=end)
    watched = pl.read_parquet(tmp_path / "interactions.parquet")
    assert watched.height == sizes["events"]
    assert not watched.select("user_id", "timestamp").is_duplicated().any()
    last = int(end.timestamp())
    assert watched["timestamp"].is_between(last - sizes["days"] * DAY, last - 1).all()
