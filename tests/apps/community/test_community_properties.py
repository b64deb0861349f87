"""What holds for every resident on every page, whatever happens: random walks through the life of a community.

A ledger of plain Python keeps what a walk did. Every page is held against it, and every feed gone through to its
end for what it left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pytest
from tests.apps.community.community_sample import APP, NOW, WEIGHTS, Clock, Feeds, Page, crowded, opened

from homefeed.errors import NotFoundError
from homefeed.store.events import Outcome
from homefeed.store.items import ItemWrite, put_items
from homefeed.times import format_time
from homefeed.types import DAY, SECOND, Event

HOUR: Final = 3_600 * SECOND
HOMES: Final = {"north": ("N1", "N2"), "south": ("S1", "S2"), "west": ("W1",)}
TAGS: Final = ("yoga", "choir", "cycling", "baking", "tools")
KINDS: Final = tuple(WEIGHTS)
ENOUGH: Final = {"click": 1, "like": 1, "comment": 1, "share": 1, "save": 1, "view": 3}
STEPS: Final = 160
TRAINED_AFTER: Final = 90

Rng: TypeAlias = np.random.Generator


@dataclass
class Post:
    """An item. Those of one family say nearly the same; `gone` is deleted."""

    item: str
    community: str
    creator: str
    family: str
    text: str
    quality: float | None = 0.8
    reports: int = 0
    expires: int | None = None
    hidden: bool = False
    gone: bool = False

    @property
    def title(self) -> str:
        return f"Post {self.family}"


@dataclass
class Ledger:
    """All that is so: where residents live, what there is, and what was told of it."""

    home: dict[str, str] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    def visible(self, user: str, item: str) -> bool:
        post = self.posts[item]
        return not post.gone and post.community == self.home[user] != ""

    def unwanted(self, user: str, kinds: Iterable[str]) -> set[str]:
        """What they did that to, and all that says nearly the same as what of it is still theirs to know."""
        own = {item for who, item, kind in self.told if who == user and kind in kinds}
        families = {self.posts[item].family for item in own if self.visible(user, item)}
        return own | {item for item, post in self.posts.items() if post.family in families}

    def seen(self, user: str) -> set[str]:
        counts = Counter((item, kind) for who, item, kind in self.told if who == user)
        return {item for (item, kind), count in counts.items() if count >= ENOUGH.get(kind, 1_000)}

    def complaints(self, item: str) -> int:
        return len({who for who, what, kind in self.told if what == item and kind == "report"})

    def fit(self, item: str, now: int) -> bool:
        """For anyone of its community."""
        post = self.posts[item]
        good = post.quality is None or post.quality >= 0.3
        fine = max(post.reports, self.complaints(item)) < 3
        return good and fine and not post.hidden and (post.expires is None or post.expires > now)

    def eligible(self, user: str, feed: str, now: int) -> set[str]:
        """What may be shown to a resident now."""
        able = {item for item in self.posts if self.visible(user, item) and self.fit(item, now)}
        able -= self.seen(user) | {item for item, post in self.posts.items() if post.creator == user}
        return able - self.unwanted(user, KINDS[1:] if feed == "home" else ["hide", "report"])

    def titles(self, user: str) -> set[str]:
        return {post.title for item, post in self.posts.items() if self.visible(user, item)}


@dataclass
class Reading:
    """A resident going through a feed; `always` could be shown to them ever since they began."""

    user: str
    feed: str
    anchor: str | None
    always: set[str]
    shown: list[str] = field(default_factory=list)
    cursor: str | None = None

    def shown_so_far(self, ledger: Ledger) -> list[str]:
        """What was shown, "" where the resident may know no more of it: no rule can tell of what is gone."""
        return [item if ledger.visible(self.user, item) else "" for item in self.shown]


class Walk:
    """A community and everything that happens to it, by the seed."""

    def __init__(self, feeds: Feeds, seed: int) -> None:
        self.feeds, self.rng = feeds, np.random.default_rng(seed)
        self.ledger = Ledger()
        self.readings: list[Reading] = []
        self.finished = self.pages = 0

    async def begin(self) -> None:
        for number in range(12):
            community = list(HOMES)[number % 3]
            await self.settle(f"r{number}", community)
        await self.feeds.settle("nowhere", block="N1")
        self.ledger.home["nowhere"] = ""
        await self.write([self.new_post(f"i{n}", list(HOMES)[n % 3]) for n in range(90)])
        for _ in range(25):
            await self.tell()
        await self.feeds.train()

    async def settle(self, user: str, community: str) -> None:
        self.ledger.home[user] = community
        interests = "|".join(self.rng.choice(TAGS, 2).tolist()) if self.rng.random() < 0.4 else ""
        block = str(self.rng.choice(HOMES[community]))
        await self.feeds.settle(user, community_id=community, block=block, interests=interests)

    def new_post(self, item: str, community: str) -> Post:
        """By one of few creators, some of them residents; now and then nearly what another one says."""
        residents = [user for user, home in self.ledger.home.items() if home == community]
        creator = str(self.rng.choice([*(f"{community}-{n}" for n in range(6)), *residents]))
        words = [f"{item}x{n}" for n in range(24)]
        family = item
        if self.ledger.posts and self.rng.random() < 0.15:
            like = self.some_post()
            words, family = like.text.split(), like.family
            words[int(self.rng.integers(len(words)))] = item
            if any(post.family == family and post.item != family for post in self.ledger.posts.values()):
                words = like.text.split()
        post = Post(item, community, creator, family, " ".join(words))
        self.ledger.posts[item] = post
        return post

    async def write(self, posts: Iterable[Post]) -> None:
        ages = [0.5, 3, 12, 40]
        writes = [
            ItemWrite(post.item, self.attributes(post), self.feeds.clock.now - int(self.rng.choice(ages) * DAY))
            for post in posts
        ]
        await put_items(self.feeds.app.store, APP, writes)
        await self.feeds.catch_up()

    def attributes(self, post: Post) -> dict[str, Any]:
        known = {"tags": "|".join(self.rng.choice(TAGS, 2).tolist()), "block": self.block(post.community)}
        return known | {
            "community_id": post.community,
            "creator_id": post.creator,
            "title": post.title,
            "text": post.text,
            "item_type": "post",
            "quality": post.quality,
            "reports": post.reports,
            "expires_at": None if post.expires is None else format_time(post.expires),
        }

    def block(self, community: str) -> str | None:
        return str(self.rng.choice(HOMES[community])) if self.rng.random() < 0.3 else None

    def some_post(self) -> Post:
        return self.ledger.posts[str(self.rng.choice(list(self.ledger.posts)))]

    def some_user(self) -> str:
        return str(self.rng.choice(list(self.ledger.home)))

    async def step(self) -> None:
        happens = {
            self.read: 12, self.tell: 5, self.create: 1, self.edit: 2, self.hide: 0.7, self.delete: 0.5,
            self.move: 1, self.wait: 0.5,
        }  # fmt: skip
        chances = np.array(list(happens.values()))
        await list(happens)[int(self.rng.choice(len(chances), p=chances / chances.sum()))]()
        for reading in self.readings:
            reading.always &= self.ledger.eligible(reading.user, reading.feed, self.feeds.clock.now)

    async def tell(self) -> None:
        """Some events of one resident, mostly of what they can see; what they cannot is unknown to them."""
        user, events = self.some_user(), []
        own = [item for item in self.ledger.posts if self.ledger.visible(user, item)]
        for _ in range(int(self.rng.integers(1, 4))):
            item = str(self.rng.choice(own)) if own and self.rng.random() < 0.8 else self.some_post().item
            kind = str(self.rng.choice(KINDS, p=(0.4, 0.2, 0.1, 0.05, 0.05, 0.1, 0.06, 0.04)))
            events.append(Event(user, item, kind, self.feeds.clock.now - int(self.rng.integers(DAY)), 20.0))
        for event, outcome in zip(events, await self.feeds.offer(*events), strict=True):
            known = self.ledger.visible(user, event.item_id)
            assert outcome is (Outcome.ACCEPTED if known else Outcome.UNKNOWN_ITEM)
            self.ledger.told += [(user, event.item_id, event.event_type)] if known else []

    async def create(self) -> None:
        number = len(self.ledger.posts)
        communities = self.rng.choice(list(HOMES), 3).tolist()
        await self.write([self.new_post(f"i{number + n}", community) for n, community in enumerate(communities)])

    async def edit(self) -> None:
        post, now = self.some_post(), self.feeds.clock.now
        if post.gone:
            return
        changes: dict[str, Any] = {}
        match self.rng.integers(4):
            case 0:
                post.quality = changes["quality"] = [None, 0.1, 0.29, 0.3, 0.5, 0.9][self.rng.integers(6)]
            case 1:
                post.reports = changes["reports"] = int(self.rng.integers(5))
            case 2:
                post.expires = [None, now - 1, now + HOUR, now + DAY][self.rng.integers(4)]
                changes["expires_at"] = None if post.expires is None else format_time(post.expires)
            case _:
                post.community = changes["community_id"] = str(self.rng.choice(list(HOMES)))
        await self.feeds.patch(post.item, **changes)

    async def hide(self) -> None:
        post = self.some_post()
        if not post.gone:
            post.hidden = not post.hidden
            await self.feeds.patch(post.item, hidden=post.hidden)

    async def delete(self) -> None:
        post = self.some_post()
        if not post.gone:
            post.gone = True
            await self.feeds.delete(post.item)

    async def move(self) -> None:
        if (user := self.some_user()) != "nowhere":
            await self.settle(user, str(self.rng.choice(list(HOMES))))

    async def wait(self) -> None:
        self.feeds.clock.now += int(self.rng.integers(6 * HOUR))

    async def read(self) -> None:
        """A page more, of a feed that someone goes through or of another."""
        if len(self.readings) < 4 and self.rng.random() < 0.3:
            self.readings.append(self.opened_by(self.some_user()))
        if self.readings:
            await self.read_on(self.readings[self.rng.integers(len(self.readings))])

    def opened_by(self, user: str) -> Reading:
        feed = str(self.rng.choice(["home", "popular", "fresh", "similar"], p=(0.7, 0.1, 0.1, 0.1)))
        able = self.ledger.eligible(user, feed, self.feeds.clock.now)
        return Reading(user, feed, self.some_post().item if feed == "similar" else None, able)

    async def read_on(self, reading: Reading) -> None:
        size, more = int(self.rng.integers(1, 10)), {} if reading.anchor is None else {"item_id": reading.anchor}
        if reading.anchor is not None and not self.ledger.visible(reading.user, reading.anchor):
            with pytest.raises(NotFoundError):
                await self.feeds.page(reading.user, size, reading.feed, cursor=reading.cursor, **more)
            self.readings.remove(reading)
            return
        page = await self.feeds.page(reading.user, size, reading.feed, cursor=reading.cursor, **more)
        self.pages += 1
        self.check(reading, page, size)
        reading.cursor = page.cursor
        if page.cursor is None:
            self.check_left_out(reading)
            self.readings.remove(reading)
            self.finished += 1

    def check(self, reading: Reading, page: Page, size: int) -> None:
        ledger, user = self.ledger, reading.user
        assert set(page.ids) <= ledger.eligible(user, reading.feed, self.feeds.clock.now)
        assert len(page.ids) == size or page.cursor is None
        assert reading.anchor not in page.ids
        reading.shown += page.ids
        assert len(set(reading.shown)) == len(reading.shown)
        shown = [ledger.posts[item] for item in reading.shown_so_far(ledger) if item]
        families = [post.family for post in shown]
        assert len(set(families)) == len(families)
        assert crowded(self.creators(reading.shown_so_far(ledger))) == []
        for entry in page.entries:
            assert {entry.title, *re.findall(r'"(.+?)"', entry.reason)} <= ledger.titles(user), entry

    def check_left_out(self, reading: Reading) -> None:
        """Of what could be shown all along only what was said, or would be too much of one creator."""
        posts, able = self.ledger.posts, self.ledger.eligible(reading.user, reading.feed, self.feeds.clock.now)
        said = {posts[item].family for item in [*reading.shown, *([reading.anchor] if reading.anchor else [])]}
        before = self.creators([item for item in reading.shown_so_far(self.ledger) if item][-9:])
        for item in reading.always - set(reading.shown):
            same = [posts[mate].creator for mate in able if posts[mate].family == posts[item].family]
            assert posts[item].family in said or any(crowded([*before, creator]) for creator in same), item

    def creators(self, items: Sequence[str]) -> list[str]:
        return [self.ledger.posts[item].creator if item else "" for item in items]


@pytest.mark.parametrize("seed", range(5))
async def test_every_page_keeps_every_rule_whatever_happens(tmp_path: Path, seed: int) -> None:
    async with opened(tmp_path, Clock(NOW)) as feeds:
        walk = Walk(feeds, seed)
        await walk.begin()
        for step in range(STEPS):
            await walk.step()
            if step == TRAINED_AFTER:
                await feeds.train()
        while walk.readings:
            await walk.read_on(walk.readings[0])
        assert walk.finished >= 5
        assert walk.pages >= 50
        for user in walk.ledger.home:
            reading = Reading(user, "home", None, walk.ledger.eligible(user, "home", feeds.clock.now))
            walk.check(reading, await feeds.page(user, 1_000), 1_000)
            walk.check_left_out(reading)


TEXT: Final = "A bicycle with three gears and a basket is free to whoever collects it at the gate this week"


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[Feeds]:
    """A resident of North, where nothing is posted yet."""
    async with opened(tmp_path, Clock(NOW)) as found:
        await found.settle("ann", community_id="north")
        yield found


async def post(feeds: Feeds, item: str, creator: str, text: str, quality: float = 0.9) -> None:
    attributes = {"community_id": "north", "creator_id": creator, "title": "Bicycle", "text": text}
    await feeds.put(item, NOW - 10 * DAY, quality=quality, **attributes)


async def test_what_is_edited_to_say_what_was_shown_does_not_follow_it(feeds: Feeds) -> None:
    for number in range(8):
        await post(feeds, f"i{number}", f"c{number}", " ".join(f"w{number}x{n}" for n in range(20)))
    order = await feeds.ids("ann")
    first = await feeds.page("ann", 3)
    await feeds.patch(order[0], text=TEXT)
    await feeds.patch(order[4], text=TEXT)
    shown, cursor = first.ids, first.cursor
    while cursor is not None:
        page = await feeds.page("ann", 3, cursor=cursor)
        shown, cursor = [*shown, *page.ids], page.cursor
    assert shown == [item for item in order if item != order[4]]
