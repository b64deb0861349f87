"""Sample data for the marketplace app: seeded, realistic, with its truth in separate files.

Users live in neighbourhoods of a few cities. They look at listings that are near, of what they like and pay what
suits them; they share tastes that no column tells with others, and differ in what they care about.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, Unpack

import numpy as np

from homefeed.samples import DAY, Options, Progress, Sample, Summary, Tables, ids, write_sample
from homefeed.samples.marketplace.listings import plan_listings
from homefeed.samples.marketplace.people import plan_communities, plan_people
from homefeed.samples.marketplace.places import city_offsets, draw_spots, plan_neighbourhoods
from homefeed.samples.marketplace.tables import (
    Named,
    draw_uuids,
    interactions_table,
    listings_table,
    users_table,
)
from homefeed.samples.marketplace.tags import SHARES, TAGS, TYPICAL
from homefeed.samples.marketplace.truth import tags_table, truth_tables
from homefeed.samples.marketplace.utility import World
from homefeed.samples.marketplace.visits import draw_interactions
from homefeed.samples.marketplace.wording import descriptions, titles

DEFAULTS: Final = Sample(users=1_000, items=1_500, events=50_000, days=30)


def generate(folder: Path, *, progress: Progress | None = None, **options: Unpack[Options]) -> Summary:
    """Write users, listings and interactions to `folder`, and their truth to its `truth`.

    Raises:
        InvalidError: an option is out of bounds.
    """
    sample = replace(DEFAULTS, **options)
    return write_sample(folder, sample, lambda: _tables(sample, progress))


def plan_world(sample: Sample) -> World:
    """The users and listings of a sample, with all that the files leave out."""
    window = (sample.last - sample.days * DAY, sample.last)
    where = plan_neighbourhoods(sample.rng(0))
    rng = sample.rng(1)
    at = draw_spots(where, sample.users, rng)
    people = plan_people(at, SHARES, float(np.median(TYPICAL)), window, rng)
    listings, posters = plan_listings(where, sample.items, window, sample.rng(2))
    return World(people, listings, posters, plan_communities(sample.rng(3)), city_offsets(), *window)


def name_world(sample: Sample, world: World) -> Named:
    """The ids of a sample's users, listings, posters and tags."""
    users = draw_uuids(sample.users, sample.rng(4))
    posters = draw_uuids(len(world.posters.quality), sample.rng(5))
    return Named(users, ids("listing_", sample.items, 6), posters, [tag.tag_id for tag in TAGS])


def _tables(sample: Sample, progress: Progress | None) -> Tables:
    world, form = plan_world(sample), sample.format
    named, rng = name_world(sample, world), sample.rng(6)
    called = titles(world.listings, rng), descriptions(world.listings, rng)
    names = [tag.name for tag in TAGS]
    rng = sample.rng(7)
    done = draw_interactions(world, sample.events, rng, progress)
    return {
        f"users.{form}": users_table(world.people, named),
        f"listings.{form}": listings_table(world.listings, world.posters, named, names, *called),
        f"interactions.{form}": interactions_table(done, world.people, named, rng),
        **truth_tables(world, named),
        "truth/tags.csv": tags_table(),
    }
