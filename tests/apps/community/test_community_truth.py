"""The feed against what the generator of its sample knows: who likes what, what is spam, what is told twice."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Final

import numpy as np
import pytest
from tests.apps.community.community_sample import END, NOW, Clock, Feeds, Town, crowded, generated, opened

LIKERS: Final = 30
HIDERS: Final = 30
DISCOUNTS: Final = 1 / np.log2(np.arange(2, 12))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return asyncio.run(generated(tmp_path_factory.mktemp("town"), users=300, items=800, events=15_000, seed=7))


@pytest.fixture
async def feeds(town: Town, tmp_path: Path) -> AsyncIterator[Feeds]:
    """The app on a copy of the town, to change."""
    home = Path(shutil.copytree(town.home, tmp_path / "home"))
    async with opened(home, Clock(NOW)) as found:
        yield found


def can_see(town: Town, user: str, seen: Sequence[str]) -> list[str]:
    """What the resident could be shown: of their community, going on, no spam, not met before."""
    now = END.isoformat().replace("+00:00", "Z")
    left = [item for item in town.neighbours(user) if item not in town.spam and item not in seen]
    return [item for item in left if not town.items[item]["expires_at"] or town.items[item]["expires_at"] > now]


def ndcg(town: Town, user: str, shown: Sequence[str], able: Sequence[str]) -> float:
    """Järvelin & Kekäläinen, TOIS 2002: the discounted gain of the first ten, over that of the best ten."""
    best = sorted((town.gain(user, item) for item in able), reverse=True)[:10]
    gains = [town.gain(user, item) for item in shown]
    ideal = float(np.array(best) @ DISCOUNTS[: len(best)])
    return float(np.array(gains) @ DISCOUNTS[: len(gains)]) / ideal if ideal else 0.0


async def ndcgs(feeds: Feeds, town: Town, residents: Sequence[str]) -> dict[str, float]:
    """Of the personal feed and of popularity, over the same items."""
    met = {user: sorted({e["item_id"] for e in town.events if e["user_id"] == user}) for user in residents}
    found: dict[str, list[float]] = {"home": [], "popular": []}
    for user in residents:
        able = can_see(town, user, met[user])
        for feed, values in found.items():
            shown = await feeds.ids(user, 10, feed, exclude=tuple(met[user]))
            values.append(ndcg(town, user, shown, able))
    return {feed: mean(values) for feed, values in found.items()}


async def test_residents_with_a_history_get_what_they_like_twice_as_well_as_by_popularity(
    feeds: Feeds, town: Town
) -> None:
    assert len(town.warm) > 250
    found = await ndcgs(feeds, town, town.warm)
    assert found["home"] > 2 * found["popular"]
    assert found["home"] > 0.4


async def test_residents_without_a_history_get_what_they_like_better_than_by_popularity(
    feeds: Feeds, town: Town
) -> None:
    assert len(town.cold) >= 15
    found = await ndcgs(feeds, town, town.cold)
    assert found["home"] > 1.5 * found["popular"]


async def test_what_is_shown_first_is_of_interest_far_more_often_than_what_is_popular(
    feeds: Feeds, town: Town
) -> None:
    for residents, factor in ((town.warm, 1.6), (town.cold, 1.5)):
        shares = {
            feed: mean([of_interest(town, user, await feeds.ids(user, 10, feed)) for user in residents])
            for feed in ("home", "popular")
        }
        assert shares["home"] > factor * shares["popular"], shares


def of_interest(town: Town, user: str, shown: Sequence[str]) -> float:
    return mean(any(topic in town.interests[user] for topic in town.topics(item)) for item in shown)


async def test_no_resident_ever_meets_spam_a_stranger_or_the_same_thing_twice(feeds: Feeds, town: Town) -> None:
    assert len(town.spam) >= 10
    assert len({town.original(item) for item in town.items}) < len(town.items) - 10
    for user, row in town.users.items():
        shown = await feeds.every(user, 20, most=3)
        assert len(shown) >= 20
        assert not town.spam & set(shown)
        assert {town.items[item]["community_id"] for item in shown} == {row["community_id"]}
        originals = [town.original(item) for item in shown]
        assert len(set(originals)) == len(originals)
        assert crowded([town.items[item]["creator_id"] for item in shown]) == []


def share(town: Town, topic: str, shown: Sequence[str]) -> float:
    return mean(topic in town.topics(item) for item in shown)


async def test_liking_five_things_of_a_new_interest_brings_more_of_it_at_once(feeds: Feeds, town: Town) -> None:
    rng = np.random.default_rng(1)
    before, after = [], []
    for user in rng.permutation(town.warm)[:LIKERS].tolist():
        offers = new_to(town, user)
        topic = rng.choice(sorted(topic for topic, items in offers.items() if len(items) >= 10))
        before.append(share(town, topic, await feeds.ids(user)))
        await feeds.tell(user, "like", *rng.choice(offers[topic], 5, replace=False).tolist())
        after.append(share(town, topic, await feeds.ids(user)))
    rose = mean(late > early for early, late in zip(before, after, strict=True))
    assert rose >= 0.9
    assert mean(after) > mean(before) + 0.15


def new_to(town: Town, user: str) -> dict[str, list[str]]:
    """What the resident could be shown of each topic they have no interest in."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in can_see(town, user, ()):
        for topic in set(town.topics(item)) - set(town.interests[user]):
            found[topic].append(item)
    return found


async def test_one_like_lifts_its_tags(feeds: Feeds, town: Town) -> None:
    """All that has the tag ranks higher on average, in the feed of whoever liked something that has it."""
    rose = []
    for user in town.warm[:: len(town.warm) // LIKERS]:
        order = await feeds.every(user, 100)
        liked = next(item for item in order[10:] if town.items[item]["tags"])
        tags = set(town.items[liked]["tags"].split("|"))
        same = [i for i in order if i != liked and tags & set(town.items[i]["tags"].split("|"))]
        if not same:
            continue
        await feeds.tell(user, "like", liked)
        rose.append(place_of(same, await feeds.every(user, 100)) < place_of(same, order))
    assert mean(rose) >= 0.9


async def test_several_hides_of_a_creator_lower_all_they_post(feeds: Feeds, town: Town) -> None:
    fell = []
    for user in town.warm[:: len(town.warm) // HIDERS]:
        order = await feeds.every(user, 100)
        posts = [[item for item in order if town.items[item]["creator_id"] == c] for c in creators(town, order)]
        own = max(posts, key=len)
        assert len(own) >= 5, own
        await feeds.tell(user, "hide", *own[:3])
        later = await feeds.every(user, 100)
        assert not set(own[:3]) & set(later)
        fell.append(place_of(own[3:], later) > place_of(own[3:], [item for item in order if item not in own[:3]]))
    assert mean(fell) >= 0.85


def creators(town: Town, items: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(town.items[item]["creator_id"] for item in items))


def place_of(items: Sequence[str], order: Sequence[str]) -> float:
    """The mean place; of what is not there the last."""
    return mean(order.index(item) if item in order else len(order) for item in items)
