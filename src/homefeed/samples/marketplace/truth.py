"""The truth of the sample as files: with them and the sample's own, the utility of any listing to anyone, ever."""

from __future__ import annotations

import numpy as np
import polars as pl

from homefeed.samples import Tables, iso
from homefeed.samples.marketplace.people import MEAN_WEIGHTS
from homefeed.samples.marketplace.tables import Named
from homefeed.samples.marketplace.tags import TAGS
from homefeed.samples.marketplace.utility import NOVELTY_DAYS, PRICE_WIDTH, World
from homefeed.samples.marketplace.visits import APPLY, CLICK, DISMISS, SAVE, SHARE, SHARPNESS


def truth_tables(world: World, named: Named) -> Tables:
    """Users, listings, communities, tags and the parameters that are the same for all; see `utility`."""
    return {
        "truth/users.csv": _users(world, named),
        "truth/listings.csv": _listings(world, named),
        "truth/communities.csv": _communities(world),
        "truth/utility.csv": _parameters(),
    }


def tags_table() -> pl.LazyFrame:
    """The tags of the sample: their ids, names, families and median compensations."""
    names = ("tag_id", "name", "family", "typical")
    table = pl.LazyFrame({name: [getattr(tag, name) for tag in TAGS] for name in names})
    return table.rename({"typical": "typical_compensation"})


def _users(world: World, named: Named) -> pl.LazyFrame:
    """Weights of the terms, and what the terms go by; a user without activity has done nothing yet."""
    people = world.people
    liking = [
        "|".join(f"{named.tags[tag]}={row[tag]:.4f}" for tag in np.flatnonzero(row).tolist())
        for row in people.liking
    ]
    weights = {f"weight_{name}": people.weights[:, place].round(5) for place, name in enumerate(MEAN_WEIGHTS)}
    return pl.LazyFrame(
        {
            "user_uid": named.users,
            **weights,
            "reach_km": people.reach_km.round(4),
            "liking": liking,
            "ideal_compensation": people.ideal.round(4),
            "community": people.community,
            "activity": people.activity.round(4),
            "new": people.activity == 0,
        }
    )


def _listings(world: World, named: Named) -> pl.LazyFrame:
    """What is hidden of each listing; nobody has come across those that are unseen."""
    listings = world.listings
    return pl.LazyFrame(
        {
            "listing_id": named.listings,
            "style": listings.style,
            "appeal": listings.appeal.round(5),
            "poster_quality": world.posters.quality[listings.poster].round(5),
            "closes_at": listings.closes,
            "unseen": listings.unseen,
        }
    ).with_columns(iso("closes_at"))


def _communities(world: World) -> pl.LazyFrame:
    community, style = np.indices(world.communities.shape).reshape(2, -1)
    return pl.LazyFrame({"community": community, "style": style, "liking": world.communities.ravel()})


def _parameters() -> pl.LazyFrame:
    """Of the terms, and of what follows a look: the utility at which it is as likely as not, and the slope."""
    odds = {"click": CLICK, "apply": APPLY, "save": SAVE, "share": SHARE, "dismiss": DISMISS}
    values = {f"mean_weight_{name}": weight for name, weight in MEAN_WEIGHTS.items()}
    values |= {"price_width": PRICE_WIDTH, "novelty_days": NOVELTY_DAYS, "look_slope": SHARPNESS}
    for name, (middle, slope) in odds.items():
        values |= {f"{name}_middle": middle, f"{name}_slope": slope}
    return pl.LazyFrame({"parameter": list(values), "value": list(values.values())})
