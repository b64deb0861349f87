"""What the listings of the sample are called, and how they are described."""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.samples import Rng, split
from homefeed.samples.cities import load_cities
from homefeed.samples.marketplace.listings import Listings
from homefeed.samples.marketplace.places import CITIES
from homefeed.samples.marketplace.tags import TAGS

_WHEN: Final = split("""
this weekend, on a weekday morning, one evening next week, on Saturday, as soon as possible, once a week, in two
weeks, any afternoon
""", ", ")  # fmt: skip
_ASIDES: Final = split("""
Tools are here. Please bring your own tools. No experience needed. Somebody with experience, please. We speak
English and a little more. References are welcome. It takes about two hours. It takes half a day. Tea and cake
included. There is a lift. Payment on the day.
""")  # fmt: skip
_QUARTERS: Final = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def titles(listings: Listings, rng: Rng) -> list[str]:
    """(listings,) a title of the main tag for each."""
    roll = rng.random(len(listings.style))
    return [
        TAGS[tag].titles[int(share * len(TAGS[tag].titles))]
        for tag, share in zip(listings.tags[:, 0].tolist(), roll.tolist(), strict=True)
    ]


def descriptions(listings: Listings, rng: Rng) -> list[str]:
    """(listings,) what it is about, where in the city, when, and an aside."""
    count, at, cities = len(listings.style), listings.at, load_cities()
    known = np.array([cities.name.index(name) for name in CITIES])[at.city]
    north = at.latitude - cities.latitude[known]
    east = (at.longitude - cities.longitude[known]) * np.cos(np.radians(at.latitude))
    quarter = np.round(np.arctan2(east, north) / (np.pi / 4)).astype(np.int64) % len(_QUARTERS)
    when, aside = rng.integers(0, len(_WHEN), count), rng.integers(0, len(_ASIDES), count)
    columns = (listings.tags[:, 0], quarter, at.city, when, aside)
    return [
        f"{TAGS[tag].name} in the {_QUARTERS[q]} of {CITIES[city]}, {_WHEN[w]}. {_ASIDES[a]}"
        for tag, q, city, w, a in zip(*(column.tolist() for column in columns), strict=True)
    ]
