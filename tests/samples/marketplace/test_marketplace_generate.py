from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
import pytest

from homefeed.samples import DAY, END
from homefeed.samples.marketplace import visits
from homefeed.samples.marketplace.generate import DEFAULTS, generate, plan_world
from homefeed.samples.marketplace.people import COMMUNITIES
from homefeed.samples.marketplace.places import CITIES, haversine_km
from homefeed.samples.marketplace.tags import TAGS
from homefeed.samples.marketplace.utility import World, utility
from homefeed.samples.marketplace.visits import draw_interactions

COLUMNS = {
    "users": "user_uid latitude longitude interests created_at max_distance_km preferred_compensation_min"
    " preferred_compensation_max preferred_tags blocked_tags personalization_enabled",
    "listings": "listing_id title description tags tag_names latitude longitude compensation poster_uid"
    " poster_rating poster_completed_count created_at expires_at status",
    "interactions": "user_uid listing_id interaction_type timestamp time_spent_seconds latitude longitude"
    " session_id device_type",
}
SIZES: dict[str, Any] = {"users": 300, "items": 500, "events": 9_000, "days": 28}
BEGIN, LAST = int(END.timestamp()) - 28 * DAY, int(END.timestamp())
TIMES = ("created_at", "expires_at", "timestamp", "closes_at")


@dataclass(frozen=True)
class Files:
    folder: Path
    users: pl.DataFrame
    listings: pl.DataFrame
    interactions: pl.DataFrame
    world: World

    @property
    def rows(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The rows of the users and listings of the interactions."""
        user = {uid: row for row, uid in enumerate(self.users["user_uid"])}
        number = self.interactions["listing_id"].str.slice(-6).cast(pl.Int32).to_numpy() - 1
        return self.interactions["user_uid"].replace_strict(user, return_dtype=pl.Int32).to_numpy(), number


def read(path: Path) -> pl.DataFrame:
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    times = [name for name in TIMES if name in table.columns]
    return table.with_columns(pl.col(times).str.to_datetime(time_unit="ms", time_zone="UTC").dt.epoch("s"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("marketplace")
    generate(folder, **SIZES, format="parquet")
    users, listings, interactions = (read(folder / f"{name}.parquet") for name in COLUMNS)
    return Files(folder, users, listings, interactions, plan_world(replace(DEFAULTS, **SIZES)))


def test_the_files_have_the_columns_of_the_contract(files: Files) -> None:
    for name, columns in COLUMNS.items():
        assert list(pl.read_parquet_schema(files.folder / f"{name}.parquet")) == columns.split()
    assert (files.users.height, files.listings.height, files.interactions.height) == (300, 500, 9_000)


def test_users_and_posters_have_uuids(files: Files) -> None:
    for ids in (files.users["user_uid"], files.listings["poster_uid"].unique()):
        assert ids.is_unique().all()
        assert {UUID(each).version for each in ids} == {4}


def test_tags_have_ids_and_names_in_the_same_order(files: Files) -> None:
    named = {tag.tag_id: tag.name for tag in TAGS}
    assert len(named) == len(TAGS) == len(set(named.values()))
    for ids, names in files.listings.select("tags", "tag_names").iter_rows():
        assert 1 <= len(ids) == len(set(ids)) <= 3
        assert [named[tag] for tag in ids] == names
    assert set(files.users["interests"].explode()) <= named.keys()


def test_compensation_is_log_normal_by_tag() -> None:
    listings = plan_world(replace(DEFAULTS, items=8_000)).listings
    typical = np.array([tag.typical for tag in TAGS])[listings.tags[:, 0]]
    relative = np.log(listings.compensation / typical)
    assert relative.mean() == pytest.approx(0, abs=0.02)
    assert relative.std() == pytest.approx(0.35, abs=0.02)
    assert abs(((relative - relative.mean()) ** 3).mean()) < 0.01


def test_a_rating_tells_more_of_a_poster_who_has_completed_more() -> None:
    posters = plan_world(replace(DEFAULTS, items=8_000)).posters
    assert (np.isnan(posters.rating) == (posters.completed == 0)).all()
    rated = posters.completed > 0
    assert ((posters.rating[rated] >= 1) & (posters.rating[rated] <= 5)).all()
    error = abs(posters.rating - 1 - 4 * posters.quality)
    few, many = (posters.completed == 1), posters.completed > 30
    assert error[few].mean() > 3 * error[many].mean()


def test_interactions_are_with_what_is_to_be_had_by_users_who_have_joined(files: Files) -> None:
    user, item = files.rows
    time, listings = files.interactions["timestamp"].to_numpy(), files.world.listings
    assert ((time >= BEGIN) & (time < LAST)).all()
    assert (np.diff(time) >= 0).all()
    assert (listings.created[item] <= time).all()
    assert (time < listings.closes[item]).all()
    assert (time >= files.users["created_at"].to_numpy()[user]).all()


def test_status_is_open_until_a_listing_is_filled_or_withdrawn(files: Files) -> None:
    listings = files.world.listings
    closed = files.listings["status"].to_numpy() != "open"
    assert (closed == ((listings.closes < listings.expires) & (listings.closes <= LAST))).all()
    assert set(files.listings["status"]) == {"open", "filled", "withdrawn"}
    assert 20 < (listings.expires < LAST).sum() < 250
    assert (files.listings["created_at"] < LAST).all()


def test_some_users_and_listings_are_new(files: Files) -> None:
    world, (user, item) = files.world, files.rows
    new_users, unseen = np.flatnonzero(world.people.activity == 0), np.flatnonzero(world.listings.unseen)
    assert len(new_users) > 5
    assert len(unseen) > 5
    assert not set(new_users.tolist()) & set(user.tolist())
    assert not set(unseen.tolist()) & set(item.tolist())
    assert (world.people.joined[new_users] > LAST - 2 * DAY).all()
    assert (world.listings.created[unseen] > LAST - DAY).all()
    assert (world.listings.closes[unseen] > LAST).all()
    assert files.users["interests"].list.len().min() >= 1  # type: ignore[operator]


def test_preferences_agree_with_the_truth(files: Files) -> None:
    people, users = files.world.people, files.users
    limited = users["max_distance_km"].is_not_null().to_numpy()
    assert 0.4 < limited.mean() < 0.6
    third = users["max_distance_km"].to_numpy()[limited] / 3
    assert (abs(third - people.reach_km[limited]) <= 1 / 3).all()
    number = {tag.tag_id: place for place, tag in enumerate(TAGS)}
    for row, tags in enumerate(users["blocked_tags"].to_list()):
        assert all(people.liking[row, number[tag]] == 0 for tag in tags)
    assert users["blocked_tags"].list.len().sum() > 5
    assert users["personalization_enabled"].mean() > 0.9  # type: ignore[operator]


def test_local_means_near(files: Files) -> None:
    user, item = files.rows
    world = files.world
    away = haversine_km(world.people.at.take(user), world.listings.at.take(item))
    assert np.median(away) < 12
    assert (world.people.at.city[user] == world.listings.at.city[item]).mean() > 0.9
    assert len(set(world.people.at.city)) == len(CITIES)


def test_what_is_worth_more_is_clicked_saved_and_applied_for_more(files: Files) -> None:
    user, item = files.rows
    worth = utility(files.world, user, item, files.interactions["timestamp"].to_numpy())
    kinds = files.interactions["interaction_type"].to_numpy()
    mean = {kind: worth[kinds == kind].mean() for kind in visits.ACTIONS}
    assert mean["dismiss"] < mean["view"] < mean["click"] < mean["apply"]
    assert mean["view"] < mean["save"]
    anyone = np.random.default_rng(1).permutation(user)
    time = files.interactions["timestamp"].to_numpy()
    assert worth.mean() > utility(files.world, anyone, item, time).mean() + 0.1


def test_the_taste_of_a_community_shows_in_what_it_looks_at(files: Files) -> None:
    user, item = files.rows
    world = files.world
    liked = world.communities[world.people.community[user], world.listings.style[item]]
    others = world.communities[(world.people.community[user] + 1) % COMMUNITIES, world.listings.style[item]]
    assert liked.mean() > 1.3 * others.mean()


def test_of_a_listing_each_decides_once(files: Files) -> None:
    decided = files.interactions.filter(pl.col("interaction_type").is_in(visits.ACTIONS[2:]))
    assert decided.height > 500
    assert not decided.select("user_uid", "listing_id").is_duplicated().any()
    assert not files.interactions.drop("session_id").is_duplicated().any()


def test_a_visit_is_of_one_user_in_one_place_on_one_device(files: Files) -> None:
    columns = ("user_uid", "latitude", "longitude", "device_type")
    per_visit = files.interactions.group_by("session_id").agg(pl.col(columns).n_unique())
    assert 1_000 < per_visit.height < 3_000
    assert all((per_visit[name] == 1).all() for name in columns)


def test_time_is_spent_on_views_and_clicks(files: Files) -> None:
    spent = files.interactions.group_by("interaction_type").agg(
        pl.col("time_spent_seconds").null_count().alias("none"),
        pl.col("time_spent_seconds").mean().alias("mean"),
        pl.len(),
    )
    by_kind = {row["interaction_type"]: row for row in spent.iter_rows(named=True)}
    assert by_kind["click"]["none"] == by_kind["view"]["none"] == 0
    assert by_kind["apply"]["none"] == by_kind["apply"]["len"]
    assert by_kind["click"]["mean"] > 3 * by_kind["view"]["mean"] > 3


def test_progress_ends_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "_VISITS_AT_ONCE", 60)
    sample = replace(DEFAULTS, users=40, items=80, events=1_500)
    steps: list[tuple[int, int]] = []
    done = draw_interactions(plan_world(sample), 1_500, sample.rng(7), lambda made, of: steps.append((made, of)))
    assert len(done.user) == 1_500
    assert steps[-1] == (1_500, 1_500)
    assert len(steps) > 3
    assert all(made <= 1_500 == of for made, of in steps)


@pytest.mark.parametrize(
    "size",
    [{"users": 1}, {"items": 1}, {"events": 1}, {"users": 1, "items": 1, "days": 1}],
)
def test_the_smallest_worlds_work(tmp_path: Path, size: dict[str, Any]) -> None:
    end = datetime(2025, 6, 15, 13, 45, 30, tzinfo=UTC)
    sizes: dict[str, Any] = {"users": 20, "items": 20, "events": 150, "days": 7} | size
    generate(tmp_path, **sizes, end=end)
    done = read(tmp_path / "interactions.csv")
    assert done.height == sizes["events"]
    last = int(end.timestamp())
    assert done["timestamp"].is_between(last - sizes["days"] * DAY, last - 1).all()
