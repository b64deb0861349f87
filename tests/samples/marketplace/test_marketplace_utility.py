"""The planted truth: each term by hand, and the whole from the files alone."""

import csv
import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from homefeed.samples import DAY, Sample
from homefeed.samples.marketplace.generate import generate, plan_world
from homefeed.samples.marketplace.people import MEAN_WEIGHTS
from homefeed.samples.marketplace.places import Spots, haversine_km
from homefeed.samples.marketplace.utility import World, terms, utility

SAMPLE = Sample(users=30, items=60, events=200, days=10, seed=5)


@pytest.fixture(scope="module")
def world() -> World:
    return plan_world(SAMPLE)


def spots(*points: tuple[float, float]) -> Spots:
    nowhere = np.zeros(len(points), np.int32)
    return Spots(nowhere, nowhere, *np.array(points).T)


def test_distances_are_those_of_the_contracts_sphere() -> None:
    quarter = 6_371 * math.pi / 2
    one = spots((0, 0), (90, 0), (0, 0), (19.119, 72.909))
    other = spots((0, 90), (0, 123), (0, 180), (19.119, 72.909))
    assert haversine_km(one, other) == pytest.approx([quarter, quarter, 2 * quarter, 0.0])


def test_every_term_is_from_0_to_1_and_weights_sum_to_1(world: World) -> None:
    user, item = (pairs.ravel().astype(np.int32) for pairs in np.indices((30, 60)))
    found = terms(world, user, item, np.full(len(user), world.end))
    assert found.shape == (1_800, len(MEAN_WEIGHTS))
    assert ((found >= 0) & (found <= 1)).all()
    assert world.people.weights.sum(axis=1) == pytest.approx(np.ones(30))
    assert sum(MEAN_WEIGHTS.values()) == pytest.approx(1)


def test_novelty_falls_with_age_and_what_is_not_there_yet_is_new(world: World) -> None:
    created = world.listings.created[3]
    moments = np.array([created - DAY, created, created + 7 * DAY, created + 14 * DAY])
    found = terms(world, np.zeros(4, np.int32), np.full(4, 3, np.int32), moments)
    novelty = found[:, list(MEAN_WEIGHTS).index("novelty")]
    assert novelty == pytest.approx([1, 1, math.exp(-1), math.exp(-2)])


def test_the_files_tell_the_utility_of_any_listing_to_anyone(world: World, tmp_path: Path) -> None:
    generate(tmp_path, users=30, items=60, events=200, days=10, seed=5)

    def rows(name: str) -> list[dict[str, str]]:
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    constants = {row["parameter"]: float(row["value"]) for row in rows("truth/utility.csv")}
    likes = {(row["community"], row["style"]): float(row["liking"]) for row in rows("truth/communities.csv")}
    users = [told | true for told, true in zip(rows("users.csv"), rows("truth/users.csv"), strict=True)]
    items = [told | true for told, true in zip(rows("listings.csv"), rows("truth/listings.csv"), strict=True)]

    def worth(user: dict[str, str], item: dict[str, str]) -> float:
        there, here = (np.radians([float(row["latitude"]), float(row["longitude"])]) for row in (user, item))
        cosine = math.sin(there[0]) * math.sin(here[0]) + math.cos(there[0]) * math.cos(here[0]) * math.cos(
            there[1] - here[1]
        )
        liking = {tag: float(share) for tag, share in (pair.split("=") for pair in user["liking"].split("|"))}
        tags = item["tags"].split("|")
        away = math.log(float(item["compensation"]) / float(user["ideal_compensation"]))
        age = (world.end - datetime.fromisoformat(item["created_at"]).timestamp()) / DAY
        values = {
            "near": math.exp(-6_371 * math.acos(min(cosine, 1)) / float(user["reach_km"])),
            "tags": sum(liking.get(tag, 0.0) for tag in tags) / len(tags),
            "price": math.exp(-0.5 * (away / constants["price_width"]) ** 2),
            "taste": likes[user["community"], item["style"]],
            "appeal": float(item["appeal"]),
            "quality": float(item["poster_quality"]),
            "novelty": math.exp(-age / constants["novelty_days"]),
        }
        return sum(float(user[f"weight_{name}"]) * value for name, value in values.items())

    pairs = [(0, 0), (3, 17), (29, 59), (11, 40)]
    expected = [worth(users[user], items[item]) for user, item in pairs]
    user, item = np.array(pairs, np.int32).T
    assert utility(world, user, item, np.full(4, world.end)) == pytest.approx(expected, abs=1e-4)
