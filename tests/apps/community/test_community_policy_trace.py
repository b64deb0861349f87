"""Each policy, in a community of a few posts: what it does to the feed, and that the trace says so and why."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.apps.community.community_sample import NOW, Clock, Feeds, crowded, opened, weight_of

from homefeed.errors import NotFoundError
from homefeed.explain import FilterTrace, RerankerTrace, Trace
from homefeed.types import DAY, SECOND, Event

HOUR: Final = 3_600 * SECOND
RESIDENTS: Final = ("ann", "ben", "cem", "dot")
FEEDS: Final = ("home", "popular", "fresh")


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[Feeds]:
    """North has four residents and nothing to show yet; sid lives in South, tom nowhere."""
    async with opened(tmp_path, Clock(NOW)) as found:
        for user in RESIDENTS:
            await found.settle(user, community_id="north", block="N1", interests="yoga")
        await found.settle("sid", community_id="south", block="S1")
        await found.settle("tom", block="N1")
        yield found


async def post(feeds: Feeds, *items: str, age: float = 10, **more: Any) -> None:
    """Good posts for all of North, each by a creator of its own and like no other; so many days old."""
    for item in items:
        words = " ".join(f"{item}{letter}" for letter in "abcdefgh")
        usual = {"community_id": "north", "creator_id": f"by-{item}", "item_type": "post", "title": f"Post {item}"}
        attributes = {**usual, "text": words, "quality": 0.9, **more}
        await feeds.put(item, round(NOW - age * DAY), **attributes)


async def warmed(feeds: Feeds, user: str = "ann") -> None:
    """A resident with a history: of something that is shown no more."""
    await post(feeds, "old")
    await feeds.tell(user, "like", "old")


def stopped(trace: Trace) -> dict[str, str | None]:
    """The filters that stopped it, and why."""
    return {filter_.name: filter_.why for filter_ in trace.filters if not filter_.passed}


def moved(trace: Trace, reranker: str) -> tuple[int | None, int | None]:
    """The place before and after a reranker."""
    return next((one.before, one.after) for one in trace.rerankers if one.name == reranker)


def added(trace: Trace, feature: str) -> float:
    """What a feature added to the score."""
    return next(one.contribution for one in trace.features if one.name == feature)


async def test_isolation_keeps_what_is_of_another_community(feeds: Feeds) -> None:
    await post(feeds, "ours", "more")
    await post(feeds, "theirs", community_id="south", title="Their secret")
    await post(feeds, "nobodys", community_id=None)
    for feed in FEEDS:
        assert set(await feeds.ids("ann", feed=feed)) == {"ours", "more"}
        assert set(await feeds.ids("sid", feed=feed)) == {"theirs"}
        for stranger in ("tom", "unheard of", None):
            assert await feeds.ids(stranger, feed=feed) == []
    hidden = [
        ("ann", "theirs"),
        ("ann", "nobodys"),
        *((stranger, "ours") for stranger in ("tom", "unheard of", None)),
    ]
    for user, item in [*hidden, ("ann", "nothing")]:
        with pytest.raises(NotFoundError, match=f'^no item "{item}" in community$'):
            await feeds.trace(user, item)
    with pytest.raises(NotFoundError):
        await feeds.ids("ann", feed="similar", item_id="theirs")


async def test_isolation_follows_an_item_and_a_resident_who_move(feeds: Feeds) -> None:
    await post(feeds, "ours", "more")
    await feeds.tell("ann", "save", "ours")
    await feeds.patch("more", community_id="south")
    assert await feeds.ids("ben", feed="popular") == ["ours"]
    assert await feeds.ids("sid") == ["more"]
    await feeds.settle("ann", community_id="south")
    page = await feeds.page("ann")
    assert page.cold
    assert page.ids == ["more"]
    with pytest.raises(NotFoundError):
        await feeds.trace("ann", "ours")


async def test_posts_of_another_community_take_nothing_out_of_a_feed(feeds: Feeds) -> None:
    """Four posts of South lead from one of North to another, each nearly the same as the next."""
    words = [f"word{n}" for n in range(60)]
    texts = [" ".join(words[start : start + 23]) for start in range(0, 24, 4)]
    await post(feeds, "first", text=texts[0], title="")
    await post(feeds, "last", text=texts[-1], title="")
    for n, text in enumerate(texts[1:-1]):
        await post(feeds, f"between{n}", text=text, title="", community_id="south")
    await post(feeds, "copied", text=texts[0], title="", community_id="south")
    for feed in FEEDS:
        assert set(await feeds.ids("ann", feed=feed)) == {"first", "last"}
    await feeds.tell("sid", "hide", "copied")
    await feeds.tell("ann", "hide", "first")
    for feed in FEEDS:
        assert await feeds.ids("ann", feed=feed) == ["last"]


@pytest.mark.parametrize("warm", [False, True])
async def test_caps_let_two_of_a_creator_into_ten_places(feeds: Feeds, warm: bool) -> None:
    if warm:
        await warmed(feeds)
    await post(feeds, *(f"busy{n}" for n in range(5)), age=0, creator_id="busy")
    await post(feeds, *(f"calm{n}" for n in range(30)), age=5)
    pages = await feeds.pages("ann", 7)
    shown = [entry for page in pages for entry in page.entries]
    assert len(shown) == 35
    assert crowded([entry.creator for entry in shown]) == []
    assert [entry.creator for entry in shown].count("busy") == 5
    order = await feeds.ids("ann", 100)
    third = [item for item in order if item.startswith("busy")][2]
    before, after = moved(await feeds.trace("ann", third, 100), "caps")
    assert before is not None
    assert after == order.index(third) + 1 > before


async def test_caps_say_what_they_left_out(feeds: Feeds) -> None:
    await post(feeds, "a", "b", "c", creator_id="busy")
    await post(feeds, "d")
    assert len(await feeds.ids("ann")) == 3
    missing = ({"a", "b", "c", "d"} - set(await feeds.ids("ann"))).pop()
    trace = await feeds.trace("ann", missing)
    assert trace.dropped_by == "caps: 2 of one creator_id in 10 places, and nothing else to place between"
    assert trace.verdict == f"Not shown: taken out by {trace.dropped_by}"
    assert moved(trace, "caps")[1] is None


async def test_low_quality_is_not_shown_and_middling_ranks_down(feeds: Feeds) -> None:
    await warmed(feeds)
    for item, quality in {"poor": 0.29, "least": 0.3, "middling": 0.5, "good": 0.9, "unknown": None}.items():
        await post(feeds, item, quality=quality)
    for feed in FEEDS:
        assert set(await feeds.ids("ben", feed=feed)) - {"old"} == {"least", "middling", "good", "unknown"}
    assert await feeds.ids("ann") == ["good", "unknown", "middling", "least"]
    assert stopped(await feeds.trace("ann", "poor")) == {"quality": "quality 0.29 is below 0.3"}
    middling, good = [await feeds.trace("ann", item) for item in ("middling", "good")]
    assert added(good, "quality") == 0
    assert added(middling, "quality") == pytest.approx(weight_of("quality") * (0.5 / 0.7 - 1))
    assert good.score is not None
    assert middling.score is not None
    assert good.score - middling.score > -added(middling, "quality") / 2


async def test_what_the_app_counts_as_reported_is_not_shown(feeds: Feeds) -> None:
    await post(feeds, "once", reports=1)
    await post(feeds, "twice", reports=2)
    await post(feeds, "thrice", reports=3)
    for feed in FEEDS:
        assert set(await feeds.ids("ann", feed=feed)) == {"once", "twice"}
    why = {"reported": "reported 3 times (reports: 3); the limit is 3"}
    assert stopped(await feeds.trace("ann", "thrice")) == why


async def test_three_residents_who_report_take_an_item_from_all(feeds: Feeds) -> None:
    await post(feeds, "told", "fine")
    await feeds.tell("ben", "report", "told")
    await feeds.tell("cem", "report", "told")
    assert "told" in await feeds.ids("ann")
    await feeds.tell("dot", "report", "told")
    for feed in FEEDS:
        assert await feeds.ids("ann", feed=feed) == ["fine"]
    why = {"reported": "reported 3 times (told by users: 3); the limit is 3"}
    assert stopped(await feeds.trace("ann", "told")) == why
    await feeds.train()
    assert await feeds.ids("ann") == ["fine"]


async def test_one_resident_who_reports_again_and_again_counts_once(feeds: Feeds) -> None:
    await post(feeds, "told", "fine")
    for _ in range(5):
        await feeds.tell("ben", "report", "told")
    assert set(await feeds.ids("ann")) == {"told", "fine"}
    assert await feeds.ids("ben") == ["fine"]
    await feeds.train()
    assert set(await feeds.ids("ann")) == {"told", "fine"}
    await feeds.patch("told", reports=2)  # which may be ben's among others: the larger count goes
    assert set(await feeds.ids("ann")) == {"told", "fine"}
    await feeds.patch("told", reports=3)
    assert await feeds.ids("ann") == ["fine"]
    why = {"reported": "reported 3 times (reports: 3, told by users: 1); the limit is 3"}
    assert stopped(await feeds.trace("ann", "told")) == why


async def test_what_is_over_is_not_shown_not_even_on_the_next_page(feeds: Feeds) -> None:
    await post(feeds, "open", "other", "third")
    await post(feeds, "short", expires_at="2026-01-01T01:00:00Z")
    first = await feeds.page("ann", 1)
    assert "short" in {*first.ids, *await feeds.ids("ann", cursor=first.cursor)}
    assert stopped(await feeds.trace("ann", "short")) == {}
    feeds.clock.now += HOUR
    assert "short" not in await feeds.ids("ann", cursor=first.cursor)
    assert set(await feeds.ids("ann")) == {"open", "other", "third"}
    why = {"expiry": "expires_at 2026-01-01T01:00:00Z has passed"}
    assert stopped(await feeds.trace("ann", "short")) == why


async def test_the_same_told_twice_is_shown_once(feeds: Feeds) -> None:
    text = "A bicycle with three gears and a basket is free to whoever collects it at the gate this week"
    await post(feeds, "first", title="Bicycle", text=text)
    await post(feeds, "again", title="Bicycle", text=f"{text}.")
    await post(feeds, "other", "third")
    shown = await feeds.ids("ann")
    kept, left = ("first", "again") if "first" in shown else ("again", "first")
    assert set(shown) == {kept, "other", "third"}
    trace = await feeds.trace("ann", left)
    assert trace.dropped_by == 'near_duplicates: says nearly the same as "Bicycle", which ranks higher'
    assert len([item for item in await feeds.every("ann", 1) if item in {"first", "again"}]) == 1
    await feeds.tell("ann", "hide", kept)
    assert set(await feeds.ids("ann")) == {"other", "third"}
    why = {"near_duplicates": 'says nearly the same as "Bicycle", which the user hid'}
    assert stopped(await feeds.trace("ann", left)) == why
    assert left in await feeds.ids("ben") or kept in await feeds.ids("ben")


async def test_what_was_seen_does_not_come_back(feeds: Feeds) -> None:
    await post(feeds, "opened", "glanced", "passed", "other")
    await feeds.tell("ann", "click", "opened")
    for item, times in {"glanced": 3, "passed": 2}.items():
        for _ in range(times):
            await feeds.tell("ann", "view", item, value=1)
    assert set(await feeds.ids("ann")) == {"passed", "other"}
    for feed in FEEDS:
        assert set(await feeds.ids("ann", feed=feed)) == {"passed", "other"}
        assert set(await feeds.ids("ben", feed=feed)) == {"opened", "glanced", "passed", "other"}
    told = {"seen": "the user's events on it: click 1 (limit 1)", "near_duplicates": "the user opened it"}
    assert stopped(await feeds.trace("ann", "opened")) == told
    assert stopped(await feeds.trace("ann", "glanced")) == {"seen": "the user's events on it: view 3 (limit 3)"}
    assert stopped(await feeds.trace("ann", "passed")) == {}


async def test_residents_are_not_shown_their_own_posts(feeds: Feeds) -> None:
    await post(feeds, "mine", creator_id="ann")
    await post(feeds, "theirs", creator_id="ben")
    for feed in FEEDS:
        assert await feeds.ids("ann", feed=feed) == ["theirs"]
        assert await feeds.ids("ben", feed=feed) == ["mine"]
    assert stopped(await feeds.trace("ann", "mine")) == {"own": "the user's own: creator_id is the user's id"}


async def test_a_blocked_creator_is_in_no_feed_until_unblocked(feeds: Feeds) -> None:
    await post(feeds, "loud", creator_id="ben")
    await post(feeds, "calm", creator_id="cem")
    await feeds.settle("ann", community_id="north", blocked_creators=["ben"])
    for feed in FEEDS:
        assert await feeds.ids("ann", feed=feed) == ["calm"]
    assert stopped(await feeds.trace("ann", "loud")) == {"preferences": "the user blocked: creator_id ben"}
    await feeds.settle("ann", community_id="north", blocked_creators=[])
    assert set(await feeds.ids("ann")) == {"loud", "calm"}


VERB: Final = {"hide": "hid", "report": "reported"}


@pytest.mark.parametrize("kind", list(VERB))
async def test_what_a_resident_does_not_want_is_gone_from_all_their_feeds_and_no_one_elses(
    feeds: Feeds, kind: str
) -> None:
    await post(feeds, "unwanted", "other", "third")
    first = await feeds.page("ann", 1)
    await feeds.tell("ann", kind, "unwanted")
    rest = await feeds.ids("ann", cursor=first.cursor)
    assert {*first.ids, *rest} - {"unwanted"} == {"other", "third"}
    assert "unwanted" not in rest
    for feed in FEEDS:
        assert set(await feeds.ids("ann", feed=feed)) == {"other", "third"}
        assert set(await feeds.ids("ben", feed=feed)) == {"unwanted", "other", "third"}
    assert "unwanted" not in await feeds.ids("ann", feed="similar", item_id="other")
    told = stopped(await feeds.trace("ann", "unwanted"))
    assert told == {"blocked": f"the user told of it: {kind}", "near_duplicates": f"the user {VERB[kind]} it"}
    await feeds.tell("ann", "like", "unwanted")
    assert "unwanted" not in await feeds.ids("ann", feed="popular")


async def test_what_operators_hide_or_delete_is_gone(feeds: Feeds) -> None:
    await post(feeds, "a", "b", "c")
    first = await feeds.page("ann", 1)
    hidden, deleted = sorted({"a", "b", "c"} - set(first.ids))
    await feeds.patch(hidden, hidden=True)
    await feeds.delete(deleted)
    assert await feeds.ids("ann", cursor=first.cursor) == []
    assert await feeds.ids("ann") == first.ids
    assert stopped(await feeds.trace("ann", hidden)) == {"availability": None}
    with pytest.raises(NotFoundError):
        await feeds.trace("ann", deleted)


async def test_diversity_lets_another_subject_in(feeds: Feeds) -> None:
    await feeds.settle("ann", community_id="north", block="N1", interests="yoga|choir")
    await warmed(feeds)
    await post(feeds, *(f"yoga{n}" for n in range(8)), age=3, tags="yoga")
    await post(feeds, *(f"choir{n}" for n in range(4)), age=4, tags="choir")
    await post(feeds, *(f"plain{n}" for n in range(4)), age=30, quality=0.3)
    order = await feeds.ids("ann")
    traces = {item: await feeds.trace("ann", item) for item in order}
    by_score = sorted(order, key=lambda item: -(traces[item].score or 0))
    assert [item[:4] for item in by_score] == 8 * ["yoga"] + 4 * ["choi"] + 4 * ["plai"]
    lifted = next(item for item in order if item.startswith("choir"))
    assert order.index(lifted) < 4
    before, after = moved(traces[lifted], "diversity")
    assert (before, after) == (9, order.index(lifted) + 1)


async def test_pins_come_first_until_their_time_is_over(feeds: Feeds) -> None:
    await post(feeds, "new", "newer", age=0.1)
    await post(feeds, "pinned", age=30, quality=0.5, pinned_until="2026-01-01T01:00:00Z")
    page = await feeds.page("ann")
    assert page.ids[0] == "pinned"
    assert "pinned" in page.entries[0].sources
    before, after = moved(await feeds.trace("ann", "pinned"), "pins")
    assert before is not None
    assert after == 1 < before
    assert await feeds.every("ann", 1) == page.ids
    feeds.clock.now += HOUR
    assert (await feeds.ids("ann"))[-1] == "pinned"


async def test_a_pin_is_no_way_around_other_policies(feeds: Feeds) -> None:
    await post(feeds, "other")
    bad: dict[str, dict[str, Any]] = {
        "quality": {"quality": 0.1}, "reported": {"reports": 3}, "expiry": {"expires_at": "2025-12-31T00:00:00Z"},
    }  # fmt: skip
    for filter_, attributes in bad.items():
        await post(feeds, filter_, boost=1, pinned_until="2026-02-01T00:00:00Z", **attributes)
        assert set(stopped(await feeds.trace("ann", filter_))) == {filter_}
    await post(feeds, "theirs", boost=1, pinned_until="2026-02-01T00:00:00Z", community_id="south")
    assert await feeds.ids("ann") == ["other"]


async def test_a_boost_lifts_and_lowers_by_what_the_trace_says(feeds: Feeds) -> None:
    await warmed(feeds)
    await post(feeds, "plain", "another")
    await post(feeds, "lifted", boost=0.4, quality=0.5)
    await post(feeds, "lowered", boost=-0.4)
    await post(feeds, "beyond", boost=7)
    assert (await feeds.ids("ann"))[:2] == ["beyond", "lifted"]
    assert (await feeds.ids("ann"))[-1] == "lowered"
    for item, boost in {"plain": 0, "lifted": 0.4, "lowered": -0.4, "beyond": 1}.items():
        assert added(await feeds.trace("ann", item), "boost") == pytest.approx(weight_of("boost") * boost)


@pytest.mark.parametrize("warm", [False, True])
async def test_new_posts_get_a_chance_with_a_known_probability(feeds: Feeds, warm: bool) -> None:
    if warm:
        await warmed(feeds)
    await post(feeds, *(f"known{n}" for n in range(20)), age=4, tags="yoga", block="N1", boost=0.5)
    await post(feeds, *(f"new{n}" for n in range(8)), age=1.5, quality=0.4)
    met: set[str] = set()
    for hour in range(24):
        feeds.clock.now = NOW + hour * HOUR // 3
        page = await feeds.page("ann")
        drawn = {place: entry for place, entry in enumerate(page.entries) if entry.propensity < 1}
        assert set(drawn) == {4, 9}
        assert {entry.propensity for entry in drawn.values()} == {2 / 8}
        met |= {entry.item_id for entry in drawn.values()}
        trace = await feeds.trace("ann", drawn[4].item_id)
        assert (trace.propensity, trace.place) == (0.25, 5)
        assert (moved(trace, "explore")[0] or 0) > 5
    assert len(met) >= 5


async def test_the_trace_names_every_policy(feeds: Feeds) -> None:
    await warmed(feeds)
    await post(feeds, "shown")
    trace = await feeds.trace("ann", "shown")
    names = [
        "isolation",
        "availability",
        "request",
        "expiry",
        "quality",
        "reported",
        "blocked",
        "near_duplicates",
        "seen",
        "own",
        "preferences",
        "not_yet",
    ]
    assert sorted(filter_.name for filter_ in trace.filters) == sorted(names)
    assert all(filter_ == FilterTrace(filter_.name, True, None) for filter_ in trace.filters)
    rerankers = ["near_duplicates", "diversity", "pins", "explore", "caps"]
    assert list(trace.rerankers) == [RerankerTrace(name, 1, 1) for name in rerankers]
    assert trace.verdict == "Shown at place 1"


async def test_nobody_can_tell_of_an_item_of_another_community(feeds: Feeds) -> None:
    await post(feeds, "ours")
    await post(feeds, "theirs", community_id="south")
    outcomes = await feeds.offer(*(Event("ann", item, "like", NOW) for item in ("ours", "theirs", "nothing")))
    assert [outcome.value for outcome in outcomes] == ["accepted", "unknown item", "unknown item"]
    assert len((await feeds.app.user_state("ann")).history) == 1


async def test_an_event_about_an_item_of_another_community_takes_the_way_of_one_about_none(
    feeds: Feeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    await post(feeds, "theirs", community_id="south")
    follower, ways = feeds.app.follower, []
    follow, fetch = follower.follow, feeds.app.store.write

    async def followed() -> None:
        ways.append("follow")
        await follow()

    def written() -> object:
        ways.append("write")
        return fetch()

    monkeypatch.setattr(follower, "follow", followed)
    monkeypatch.setattr(type(feeds.app.store), "write", lambda _: written())
    taken = {}
    for user in ("ann", "tom", "unheard of"):
        for item in ("theirs", "nothing"):
            [outcome] = await feeds.offer(Event(user, item, "like", NOW))
            taken[user, item] = outcome.value, ways.copy()
            ways.clear()
    for user, why in (("ann", "unknown item"), ("tom", "unknown item"), ("unheard of", "unknown user")):
        assert taken[user, "theirs"] == taken[user, "nothing"] == (why, ["follow"])


async def test_a_reason_counts_what_was_told_a_moment_ago(feeds: Feeds) -> None:
    await post(feeds, "only")
    said = []
    for n, (user, kind) in enumerate((("ben", "view"), ("cem", "save"), ("dot", "like")), 1):
        # Another request each time: the same one would be answered as before.
        said.append((await feeds.page("ann", n, feed="popular")).entries[0].reason)
        await feeds.tell(user, kind, "only")
    assert said == [
        "Few have seen this yet",
        "Few have seen this yet",
        "Popular in your community: 2 residents looked or reacted",
    ]


async def test_what_someone_hid_is_not_said_to_be_seen_by_nobody(feeds: Feeds) -> None:
    await post(feeds, "only")
    await feeds.tell("ben", "hide", "only")
    assert (await feeds.page("ann", feed="popular")).entries[0].reason == "Few have seen this yet"
