"""Airbnb's listings of New York into files that Homefeed's marketplace imports: python convert.py FILE FOLDER

FILE is the data set "New York City Airbnb Open Data" (listings as of 2019-07-08), gzip allowed; FOLDER takes
listings.csv, users.csv and interactions.csv, and their truth. Places, prices, room types, neighbourhoods, hosts
and reviews are those of the file. Who looks at what is not in it: users and interactions are drawn by the model of
`homefeed generate marketplace`. README.md says how dates come about.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from homefeed.samples import DAY, END, iso, write_tables
from homefeed.samples.marketplace.listings import STYLES, Listings, Posters
from homefeed.samples.marketplace.people import plan_communities, plan_people
from homefeed.samples.marketplace.places import Spots, scatter
from homefeed.samples.marketplace.tables import Named, draw_uuids, interactions_table, of_tags, users_table
from homefeed.samples.marketplace.truth import truth_tables
from homefeed.samples.marketplace.utility import World
from homefeed.samples.marketplace.visits import draw_interactions
from homefeed.types import Times

AS_OF = int(datetime(2019, 7, 9, tzinfo=UTC).timestamp())
"""The end of the last day of the file: the day of the newest review."""
NEW_YORK_OFFSET = -5 * 3_600
MONTH = 365.25 / 12 * DAY
MIN_OPEN_DAYS = 30
KNOTS = 60
"""So many ranges of ids tell when ids were given out."""
HOME_KM = 0.8
"""How far users live from a listing, in each direction."""

KEPT = (
    "id",
    "name",
    "host_id",
    "neighbourhood_group",
    "neighbourhood",
    "latitude",
    "longitude",
    "room_type",
    "price",
)


def read_listings(file: Path, count: int | None, rng: np.random.Generator) -> pl.DataFrame:
    """The listings by id, or as many of them as asked for, drawn by lot."""
    read = pl.read_csv(file, schema_overrides={"last_review": pl.String}).sort("id")
    read = read.with_columns(
        created=pl.Series(created(read)), host_reviews=pl.sum("number_of_reviews").over("host_id")
    )
    if count is None or count >= read.height:
        return read
    drawn: pl.DataFrame = read[np.sort(rng.choice(read.height, count, replace=False)).tolist()]
    return drawn


def created(listings: pl.DataFrame) -> Times:
    """When each came, in seconds: by its id, or by its first review where that was earlier.

    The first review was number_of_reviews / reviews_per_month months ago. Ids were given out one after another:
    of a range of ids a tenth had its first review by the time at which the range is taken to be given out, and the
    last id is of the last day.
    """
    reviewed = listings.filter(pl.col("reviews_per_month") > 0)
    months = (reviewed["number_of_reviews"] / reviewed["reviews_per_month"]).to_numpy()
    first = AS_OF - 1 - months * MONTH
    ranges = np.array_split(np.arange(len(first)), min(KNOTS, len(first)))
    number = reviewed["id"].to_numpy()
    ids = [float(number[rows].mean()) for rows in ranges] + [float(listings["id"].max())]  # type: ignore[arg-type]
    dates = np.maximum.accumulate([*(np.quantile(first[rows], 0.1) for rows in ranges), AS_OF - 1])
    by_id = np.interp(listings["id"].to_numpy(), ids, dates)
    at = np.searchsorted(listings["id"].to_numpy(), number)
    by_id[at] = np.minimum(by_id[at], first)
    arrived: Times = by_id.astype(np.int64)
    return arrived


def tag_ids(words: pl.Series) -> list[str]:
    """Ids of tags: their words in lower case, with dashes between."""
    return [re.sub(r"\W+", "-", word.lower()).strip("-") for word in words]


def plan_world(read: pl.DataFrame, users: int, window: tuple[int, int], seed: int) -> tuple[World, pl.Series]:
    """The listings as the sample's model has them, its users among them; and the names of the tags."""
    rng = np.random.default_rng([seed, 1])
    names = pl.concat([read[column].unique().sort() for column in ("room_type", "neighbourhood")])
    number = {name: place for place, name in enumerate(names)}
    tags = np.column_stack(
        [read[column].replace_strict(number, return_dtype=pl.Int32) for column in ("room_type", "neighbourhood")]
    )
    nowhere = np.zeros(read.height, np.int32)
    at = Spots(tags[:, 1], nowhere, read["latitude"].to_numpy(), read["longitude"].to_numpy())
    arrived = read["created"].to_numpy() + window[1] - AS_OF
    expires = window[1] + np.maximum(read["availability_365"].to_numpy(), MIN_OPEN_DAYS) * DAY
    host = read["host_id"].rank("dense").to_numpy() - 1
    busy = read["reviews_per_month"].fill_null(0)
    listings = Listings(
        at=at,
        tags=tags,
        compensation=np.maximum(read["price"].to_numpy().astype(np.float64), 1.0),
        poster=host.astype(np.int32),
        created=arrived,
        expires=expires,
        closes=expires,
        status=nowhere,
        style=rng.integers(0, STYLES, read.height, dtype=np.int32),
        appeal=(busy.rank("average") / read.height).to_numpy(),
        unseen=(arrived >= window[1] - DAY) & (read["number_of_reviews"].to_numpy() == 0),
    )
    hosts = read.unique("host_id").sort("host_id")["host_reviews"].to_numpy()
    # Nobody has rated the hosts: to everybody all are the same.
    posters = Posters(np.full(len(hosts), 0.5), hosts, np.full(len(hosts), np.nan))
    home = rng.integers(0, read.height, users)
    around = scatter(at.latitude[home], at.longitude[home], HOME_KM, rng)
    shares = np.bincount(tags.ravel(), minlength=len(names)) / read.height
    typical = float(np.median(listings.compensation))
    people = plan_people(Spots(tags[home, 1], nowhere[home], *around), shares, typical, window, rng)
    return World(people, listings, posters, plan_communities(rng), np.array([NEW_YORK_OFFSET]), *window), names


def listings_table(read: pl.DataFrame, world: World, named: Named, names: pl.Series) -> pl.LazyFrame:
    """The file's own columns, and what the marketplace has besides."""
    about = pl.format("{} in {}, {}", "room_type", "neighbourhood", "neighbourhood_group")
    nights = pl.when(pl.col("minimum_nights") > 1).then(pl.format("; at least {} nights", "minimum_nights"))
    return (
        read.lazy()
        .with_columns(pl.col("name").fill_null(about))
        .select(*KEPT, (about + nights.otherwise(pl.lit(""))).alias("description"), "host_reviews")
        .with_columns(
            tags=pl.Series(of_tags(world.listings.tags, named.tags)),
            tag_names=pl.Series(of_tags(world.listings.tags, names.to_list())),
            created_at=pl.Series(world.listings.created),
            expires_at=pl.Series(world.listings.expires),
        )
        .with_columns(iso("created_at"), iso("expires_at"))
    )


def main() -> None:
    """Write all files and say how much there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listings", type=int, help="so many of them, drawn by lot; all by default")
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--interactions", type=int, default=250_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--end", type=datetime.fromisoformat, default=END, help="what the file's last day becomes")
    given = parser.parse_args()
    end = int(given.end.replace(tzinfo=UTC).timestamp())
    read = read_listings(given.file, given.listings, np.random.default_rng([given.seed, 0]))
    world, names = plan_world(read, given.users, (end - given.days * DAY, end), given.seed)
    rng = np.random.default_rng([given.seed, 2])
    named = Named(
        users=draw_uuids(given.users, rng),
        listings=read["id"].cast(pl.String).to_list(),
        posters=[],
        tags=tag_ids(names),
    )
    done = draw_interactions(world, given.interactions, rng, None)
    tables = {
        "listings.csv": listings_table(read, world, named, names),
        "users.csv": users_table(world.people, named),
        "interactions.csv": interactions_table(done, world.people, named, rng),
        **truth_tables(world, named),
    }
    write_tables(tables, given.folder)
    print(f"{read.height:9,} listings of {len(world.posters.quality):,} hosts, {len(names):,} tags")
    print(f"{given.users:9,} users")
    print(f"{len(done.user):9,} interactions with {len(np.unique(done.item)):,} listings")


if __name__ == "__main__":
    main()
