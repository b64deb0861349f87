"""Airbnb's listings of New York through the example: real places, hosts, prices; users and interactions drawn."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.geo import Place
from homefeed.ingest import find_files, import_files
from homefeed.samples import END
from homefeed.serving import FeedRequest, live_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.items import get_item
from homefeed.types import SECOND

ROOT = Path(__file__).parents[2]
LISTINGS = ROOT.parent / "shared" / "data" / "airbnb-nyc" / "listings.csv.gz"
EXAMPLE = ROOT / "examples" / "airbnb-nyc"
NOW = int(END.timestamp()) * SECOND
SIZES = ("--listings", "1500", "--users", "150", "--interactions", "3000")

pytestmark = pytest.mark.skipif(not LISTINGS.is_file(), reason=f"needs Airbnb's listings in {LISTINGS.parent}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the converted files."""
    folder = tmp_path_factory.mktemp("nyc")
    command = [sys.executable, str(EXAMPLE / "convert.py"), str(LISTINGS), str(folder), *SIZES]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "1,500 listings" in said
    assert "3,000 interactions" in said
    return folder


def test_places_prices_and_hosts_are_those_of_the_file(folder: Path) -> None:
    original = pl.read_csv(LISTINGS, schema_overrides={"last_review": pl.String})
    made = pl.read_csv(folder / "listings.csv")
    columns = ["id", "host_id", "latitude", "longitude", "room_type", "price"]
    assert made.height == 1_500
    assert made.select(columns).equals(original.join(made, on="id", how="semi").sort("id").select(columns))
    known = original.drop_nulls("name").join(made, on="id", how="semi").select("id", "name").sort("id")
    assert known.equals(made.join(known, on="id", how="semi").select("id", "name"))
    reviews = original.group_by("host_id").agg(pl.sum("number_of_reviews"))
    assert (
        made.join(reviews, on="host_id")
        .select((pl.col("host_reviews") == pl.col("number_of_reviews")).all())
        .item()
    )
    names = made.select(pl.format("{}|{}", "room_type", "neighbourhood")).to_series()
    assert made["tag_names"].equals(names.alias("tag_names"))


def test_no_listing_came_after_its_last_review_or_the_last_day(folder: Path) -> None:
    moved = date(2026, 1, 1) - date(2019, 7, 9)
    original = pl.read_csv(LISTINGS, schema_overrides={"last_review": pl.String})
    reviewed = original.select("id", last=pl.col("last_review").str.to_date("%m/%d/%Y") + moved)
    made = pl.read_csv(folder / "listings.csv", try_parse_dates=True).join(reviewed, on="id")
    came = made["created_at"].dt.date()
    assert (came <= made["last"]).drop_nulls().all()
    assert date(2025, 12, 1) < came.max() < date(2026, 1, 1)  # type: ignore[operator]
    assert made["expires_at"].dt.date().is_between(date(2026, 1, 31), date(2027, 1, 1)).all()


def test_interactions_are_of_the_users_with_the_listings(folder: Path) -> None:
    users, listings, done = (pl.read_csv(folder / f"{name}.csv") for name in ("users", "listings", "interactions"))
    assert (users.height, done.height) == (150, 3_000)
    assert set(done["user_uid"]) < set(users["user_uid"])
    assert set(done["listing_id"]) < set(listings["id"])
    arrived = dict(listings.select("id", "created_at").iter_rows())
    assert all(time >= arrived[item] for item, time in done.select("listing_id", "timestamp").iter_rows())


async def test_the_mapping_makes_them_listings_that_the_marketplace_serves(folder: Path, tmp_path: Path) -> None:
    recipe = find_recipe("marketplace", EXAMPLE / "mapping.toml")
    made = pl.read_csv(folder / "listings.csv", schema_overrides={"id": pl.String})
    async with open_store(f"sqlite:///{tmp_path / 'nyc.db'}") as store:
        report = await import_files(store, recipe, find_files(folder, recipe.sources), now=NOW)
        assert {name: file["loaded"] for name, file in report.to_json()["files"].items()} == {
            "users": 150,
            "items": 1_500,
            "events": 3_000,
        }
        item = await get_item(store, "marketplace", made["id"][0])
        app = live_app(recipe, store, Settings(home=tmp_path), Environment(lambda: NOW))
        await app.start()
        slate = (
            await app.recommend(FeedRequest("nearby", n=20, place=Place(40.7580, -73.9855), radius_km=3))
        ).slate
    assert item.attributes["compensation"] == made["price"][0]
    assert item.attributes["poster_uid"] == str(made["host_id"][0])
    assert item.attributes["status"] == "open"
    nearest = made.select(
        "id", km=(pl.col("latitude") - 40.7580) ** 2 + ((pl.col("longitude") + 73.9855) * 0.7576) ** 2
    )
    expected = set(nearest.sort("km")["id"].head(22))
    shown = [app.catalog.item_id(position) for position in slate.positions.tolist()]
    assert len(shown) == 20
    assert set(shown) <= expected
