"""Every reason is true: what it says is computed anew from the files of the sample, by none of Homefeed's code."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

import pytest
from tests.apps.community.community_sample import END, WEIGHTS, Entry, Page, Row, Town, generated, opened

PLACES: Final = 30
PINNED: Final = datetime(2026, 1, 12, tzinfo=END.tzinfo)
DID: Final = {
    "view": "looked at", "click": "opened", "like": "liked", "comment": "commented on", "share": "shared",
    "save": "saved", "hide": "hid", "report": "reported",
}  # fmt: skip
VERBS: Final = {verb: kind for kind, verb in DID.items()}


class Facts:
    """What the files say, by what reasons speak of."""

    def __init__(self, town: Town, pinned: Iterable[str]) -> None:
        self.town, self.pinned = town, set(pinned)
        self.titled: defaultdict[str, list[str]] = defaultdict(list)
        for item, row in town.items.items():
            self.titled[row["title"]].append(item)

    @cached_property
    def of_item(self) -> defaultdict[str, list[Row]]:
        return _by(self.town.events, "item_id")

    @cached_property
    def of_user(self) -> defaultdict[str, list[Row]]:
        return _by(self.town.events, "user_id")

    @cached_property
    def fans(self) -> dict[str, set[str]]:
        """Who did something to an item that speaks for it."""
        return {item: {e["user_id"] for e in own if strength(e) > 0} for item, own in self.of_item.items()}

    def chances(self, item: str) -> int:
        """Who else did something to an item that was not against it."""
        creator = self.town.items[item]["creator_id"]
        return len({e["user_id"] for e in self.of_item[item] if strength(e) >= 0} - {creator})

    def age(self, item: str) -> timedelta:
        return END - datetime.fromisoformat(self.town.items[item]["created_at"])

    def known(self, user: str, title: str) -> list[str]:
        """The items of that title in the resident's community: nobody else's may be named."""
        return [item for item in self.titled[title] if item in self.town.neighbours(user)]

    def did(self, user: str, title: str, verb: str) -> list[str]:
        """The items of that title to which the resident did that, and nothing that says more, nor took it back."""
        return [item for item in self.known(user, title) if self._strongest(user, item) == VERBS[verb]]

    def times(self, user: str, item: str, verb: str) -> int:
        """How often the resident did that to the item, if it is what says most of it."""
        if self._strongest(user, item) != VERBS[verb]:
            return 0
        own = (event for event in self.of_user[user] if event["item_id"] == item)
        return sum(event["event_type"] == VERBS[verb] and strength(event) > 0 for event in own)

    def _strongest(self, user: str, item: str) -> str | None:
        newest_first = [event for event in reversed(self.of_user[user]) if event["item_id"] == item]
        best = max(newest_first, key=strength, default=None)
        if best is None or strength(best) <= 0:
            return None
        after = newest_first[: newest_first.index(best)]
        return None if any(strength(event) < 0 for event in after) else best["event_type"]


def _by(events: Iterable[Row], column: str) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for event in events:
        found[event[column]].append(event)
    return found


def strength(event: Row) -> float:
    """A view counts by how long it lasted, up to half a minute; all else counts whole."""
    lasted = min(float(event["dwell_seconds"] or 30) / 30, 1) if event["event_type"] == "view" else 1
    return WEIGHTS[event["event_type"]] * lasted


def because_of(facts: Facts, user: str, item: str, verb: str, title: str) -> bool:
    return any(other != item for other in facts.did(user, title, verb))


def own(facts: Facts, user: str, item: str, verb: str, times: str) -> bool:
    return facts.times(user, item, verb) == (1 if times == "before" else int(times.removesuffix(" times")))


def like_others(facts: Facts, user: str, item: str, title: str, verb: str) -> bool:
    """Another resident, not only this one, took to both."""
    return any(facts.fans[other] & facts.fans.get(item, set()) - {user} for other in facts.did(user, title, verb))


def like_those(facts: Facts, user: str, item: str, title: str) -> bool:
    return any(facts.fans.get(other, set()) & facts.fans.get(item, set()) for other in facts.known(user, title))


def declared(facts: Facts, user: str, item: str, tags: str) -> bool:
    own, theirs = (
        set(text.split("|")) for text in (facts.town.users[user]["interests"], facts.town.items[item]["tags"])
    )
    return set(tags.split(" and ")) <= own & theirs


def near(facts: Facts, user: str, item: str, where: str) -> bool:
    """Of the resident's block, where that is said, and of their community in any case."""
    fields = ("community_id", "block") if where == "block" else ("community_id",)
    return all(facts.town.users[user][field] == facts.town.items[item][field] != "" for field in fields)


def popular(facts: Facts, user: str, item: str, where: str, number: str) -> bool:
    return near(facts, user, item, where) and facts.chances(item) == int(number.replace(",", "")) > 1


def met_by_few(facts: Facts, user: str, item: str) -> bool:
    return facts.chances(item) < 2


def new(facts: Facts, user: str, item: str, where: str, age: str) -> bool:
    days = {"today": 0, "yesterday": 1}.get(age) if " " not in age else int(age.split(maxsplit=1)[0])
    return near(facts, user, item, where) and facts.age(item).days == days


def unheard_of(facts: Facts, user: str, item: str) -> bool:
    return facts.age(item) <= timedelta(days=2) and facts.chances(item) < 10


def pinned(facts: Facts, user: str, item: str, until: str) -> bool:
    return item in facts.pinned and until == "12 January"


def similar(facts: Facts, user: str, item: str, title: str) -> bool:
    return any(other != item for other in facts.known(user, title))


REASONS: Final[dict[str, Callable[..., bool]]] = {
    rf'Because you ({"|".join(VERBS)}) "(.+)"': because_of,
    rf"You ({'|'.join(VERBS)}) this (before|\d+ times)": own,
    rf'Residents who enjoyed "(.+)", which you ({"|".join(VERBS)}), chose this, too': like_others,
    r'Residents who enjoyed "(.+)" chose this, too': like_those,
    r"Matches your interest in (.+)": declared,
    r"Popular in your (block|community): ([\d,]+) residents looked or reacted": popular,
    r"Few have seen this yet": met_by_few,
    r"New in your (block|community): added (today|yesterday|\d+ days ago)": new,
    r"New: be among the first to see this": unheard_of,
    r"Pinned until (\d+ [A-Z][a-z]+)": pinned,
    r'Similar to "(.+)"': similar,
}


@dataclass
class Told:
    """The reasons of pages, by kind; those of no known kind, and those that are not true."""

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    def judge(self, facts: Facts, user: str, page: Page) -> None:
        assert page.entries
        for entry in page.entries:
            kind = kind_of(facts, user, entry)
            self.kinds[kind or "wrong"] += 1
            self.wrong += [] if kind else [(user, entry.item_id, entry.reason)]


def kind_of(facts: Facts, user: str, entry: Entry) -> str | None:
    """The kind of a reason, if it is a known one and true."""
    for pattern, is_true in REASONS.items():
        if said := re.fullmatch(pattern, entry.reason):
            where = [f"in {group}" for group in said.groups()[:1] if group in ("block", "community")]
            told = is_true(facts, user, entry.item_id, *said.groups())
            return " ".join([is_true.__name__, *where]) if told else None
    return None


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A generated town in which the management pinned something in each community."""
    home = tmp_path_factory.mktemp("town")
    return asyncio.run(_pinned(home))


async def _pinned(home: Path) -> Town:
    found = await generated(home, users=120, items=300, events=4_000)
    async with opened(home) as feeds:
        for item in pins(found):
            await feeds.patch(item, pinned_until=PINNED.isoformat())
    return found


def pins(town: Town) -> list[str]:
    """A good, lasting item of each community."""
    lasting = [
        item for item, row in town.items.items() if not row["expires_at"] and float(row["quality"] or 0) > 0.7
    ]
    return list({town.items[item]["community_id"]: item for item in lasting}.values())


@pytest.fixture(scope="module")
def facts(town: Town) -> Facts:
    return Facts(town, pins(town))


@pytest.mark.parametrize("feed", ["home", "popular", "fresh"])
async def test_every_reason_to_every_resident_is_true(facts: Facts, feed: str) -> None:
    told = Told()
    async with opened(facts.town.home) as feeds:
        for user in facts.town.users:
            told.judge(facts, user, await feeds.page(user, PLACES, feed))
    assert told.wrong == []
    assert len(told.kinds) >= {"home": 7, "popular": 2, "fresh": 2}[feed], told.kinds
    if feed == "home":
        assert min(dict(told.kinds.most_common(5)).values()) > 50, told.kinds


async def test_every_reason_to_one_without_a_history_is_true_and_they_vary(facts: Facts) -> None:
    assert len(facts.town.cold) >= 5
    async with opened(facts.town.home) as feeds:
        for user in facts.town.cold:
            told, page = Told(), await feeds.page(user, PLACES)
            assert page.cold
            told.judge(facts, user, page)
            assert told.wrong == []
            assert len(told.kinds) >= 3, told.kinds
            assert not {"because_of", "like_others"} & set(told.kinds)


async def test_every_reason_beside_an_item_is_true(facts: Facts) -> None:
    told = Told()
    async with opened(facts.town.home) as feeds:
        for user in facts.town.users:
            for anchor in facts.town.neighbours(user)[::40]:
                told.judge(facts, user, await feeds.page(user, PLACES, "similar", item_id=anchor))
    assert told.wrong == []
    assert {"similar", "like_those"} <= set(told.kinds), told.kinds


async def test_what_is_pinned_or_drawn_says_so(facts: Facts) -> None:
    """Whatever else speaks for it: that is why it stands where it does."""
    told, pinned = Told(), 0
    async with opened(facts.town.home) as feeds:
        for user in facts.town.users:
            page = await feeds.page(user, PLACES)
            told.judge(facts, user, page)
            pinned += sum(entry.item_id in facts.pinned for entry in page.entries[:2])
            for entry in page.entries:
                assert (entry.propensity < 1) == (entry.reason == "New: be among the first to see this")
    assert told.kinds["pinned"] >= pinned > 0
    assert told.kinds["unheard_of"] > 0
