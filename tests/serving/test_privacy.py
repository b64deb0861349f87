"""What users may refuse, have erased, or must not know of: a live app keeps to it from the next request on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.recipe import parse_recipe
from homefeed.serving import Answer, FeedRequest, LiveApp
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome, append_events, rows_after
from homefeed.store.impressions import impressions_of_request
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import erase_user, get_user, list_users, patch_user, put_users
from homefeed.train import train_app
from homefeed.types import SECOND, Event, UserState

APP = "town"
NOW = 1_700_000_000 * SECOND
FEED = {
    "filter": {"blocked": {"events": ["hide"]}},
    "features": {"tag_overlap": {"interests": "likes"}},
    "rank": {"weighted": {"weights": {"popular": 1.0, "tag_overlap": 1.0}}},
}
DECLARED: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "place": "category", "tags": "tags"}},
    "users": {"fields": {"place": "category", "likes": "tags", "age": "number", "silent": "category"}},
    "events": {"view": {"weight": 0.5}, "save": {"verb": "saved"}, "hide": {"weight": -1.0}},
    "isolation": {"item": "place", "user": "place"},
    "privacy": {"opt_out": "silent", "kept": ["likes"]},
    "models": {"item_item": {}},
    "parts": {"filter": {"seen": False}},
    "feeds": {
        "home": FEED | {"cold_start": "welcome", "retrieve": {"item_item": {}, "popular": {}}},
        "welcome": FEED | {"retrieve": {"popular": {}}},
        "similar": FEED | {"anchored": True, "retrieve": {"popular": {}}},
    },
}
RECIPE = parse_recipe(DECLARED, "a test")
UNKNOWN, ACCEPTED = Outcome.UNKNOWN_ITEM, Outcome.ACCEPTED

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


def event(item: str, event_type: str = "save", user: str = "u", ago: int = 60) -> Event:
    return Event(user, item, event_type, NOW - ago * SECOND)


async def opened(store: Store, folder: Path) -> LiveApp:
    app = LiveApp(RECIPE, store, ArtifactStore(folder), Environment(lambda: NOW))
    await app.start()
    return app


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    """Six items in each of two places, and u, who lives in the north and has saved n0 and n1 and hidden n4."""
    items = [
        ItemWrite(f"{place[0]}{n}", {"title": f"{place} {n}", "place": place, "tags": [f"tag{n % 3}"]}, 1)
        for place in ("north", "south")
        for n in range(6)
    ]
    await put_items(store, APP, [*items, ItemWrite("nowhere", {"title": "Nowhere"}, 1)])
    known = {"place": "north", "likes": ["tag2"], "age": 40}
    await put_users(store, APP, [("u", known), ("v", known), ("s", {"place": "south"}), ("lost", {})])
    app = await opened(store, tmp_path)
    events = [event("n0"), event("n1"), event("n1", "view"), event("n4", "hide")]
    assert await app.append(events) == [ACCEPTED] * 4
    everybody = [event(item, "save", user) for user, item in (("v", "n0"), ("v", "n1"), ("v", "n3"), ("s", "s0"))]
    assert await app.append(everybody) == [ACCEPTED] * 4
    return app


@pytest.fixture
async def other(app: LiveApp, store_url: str, tmp_path: Path) -> AsyncIterator[LiveApp]:
    """Another server of the same app."""
    async with open_store(store_url) as store:
        yield await opened(store, tmp_path)


async def ask(app: LiveApp, user: str | None = "u", feed: str = "home", **more: Any) -> Answer:
    answer = await app.recommend(FeedRequest(feed, user, **more))
    assert answer.slate.failed == {}
    return answer


def ids(answer: Answer) -> set[str]:
    return {answer.catalog.item_id(position) for position in answer.slate.positions.tolist()}


def history(app: LiveApp, state: UserState) -> list[str]:
    return sorted(app.catalog.item_id(position) for position in state.history.items.tolist())


async def changed(app: LiveApp, user: str = "u", **attributes: Any) -> None:
    await patch_user(app.store, APP, user, attributes)
    await app.follow()


class TestOptingOut:
    @either_store
    async def test_of_who_opted_out_nothing_is_used_but_what_they_do_not_want_to_see(self, app: LiveApp) -> None:
        await train_app(RECIPE, app.store, app.artifacts, app.environment)
        await app.reload_models()
        before = await ask(app)
        assert not before.slate.cold_start
        assert any("item_item" in sources for sources in before.slate.sources)
        await changed(app, silent="true")
        state = await app.user_state("u")
        assert state.opted_out
        assert history(app, state) == ["n4"]
        assert (state.history.strengths < 0).all()
        assert state.attributes == {"place": "north", "likes": ["tag2"]}
        after = await ask(app)
        assert after.slate.cold_start
        assert (await app.explain(FeedRequest("home", "u"), "n0")).made_by == "welcome"
        assert ids(after) == {"n0", "n1", "n2", "n3", "n5"}, "of the own place, without what they hid"
        await changed(app, silent="no")
        assert (await app.user_state("u")).attributes["age"] == 40
        assert history(app, await app.user_state("u")) == ["n0", "n1", "n1", "n4"]
        assert not (await ask(app)).slate.cold_start

    @either_store
    async def test_what_they_said_they_like_stays_if_the_recipe_keeps_it(self, app: LiveApp) -> None:
        def fits(answer: Answer) -> dict[str, float]:
            told = answer.slate.features[:, answer.slate.feature_names.index("tag_overlap")]
            return {
                i[1:]: float(fit)
                for i, fit in zip(map(app.catalog.item_id, answer.slate.positions), told, strict=True)
            }

        assert fits(await ask(app))["0"] > 0
        await changed(app, silent=True)
        fit = fits(await ask(app))
        assert fit["2"] == fit["5"] > 0, "by their interests"
        assert fit["1"] < 0, "by what they do not want to see"
        assert fit["0"] == fit["3"] == 0, "not by what they saved"

    @either_store
    @pytest.mark.parametrize("word", ["true", "TRUE", " yes ", "Y", "t", "1", 1, True])
    async def test_every_usual_word_for_yes_is_understood(self, app: LiveApp, word: Any) -> None:
        await changed(app, silent=word)
        assert (await app.user_state("u")).opted_out

    @either_store
    @pytest.mark.parametrize("word", ["false", "no", "0", 0, False, "", None])
    async def test_who_did_not_opt_out_did_not(self, app: LiveApp, word: Any) -> None:
        await changed(app, silent=word)
        state = await app.user_state("u")
        assert not state.opted_out
        assert history(app, state) == ["n0", "n1", "n1", "n4"]

    @either_store
    async def test_it_holds_while_nothing_else_is_known_of_the_user(self, app: LiveApp) -> None:
        await put_users(app.store, APP, [("new", {"silent": "yes", "place": "south"})])
        state = await app.user_state("new")
        assert (state.opted_out, len(state.history), dict(state.attributes)) == (True, 0, {"place": "south"})
        assert (await ask(app, "new")).slate.cold_start
        assert not (await app.user_state("nobody")).opted_out

    @either_store
    async def test_without_a_word_about_it_in_the_recipe_nobody_opts_out(
        self, store: Store, tmp_path: Path
    ) -> None:
        declared = {name: value for name, value in DECLARED.items() if name != "privacy"}
        await put_users(store, APP, [("u", {"silent": "yes", "age": 40})])
        app = LiveApp(parse_recipe(declared, "a test"), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
        await app.start()
        state = await app.user_state("u")
        assert (state.opted_out, state.attributes["age"]) == (False, 40)

    @either_store
    async def test_without_isolation_only_what_is_kept_stays(self, store: Store, tmp_path: Path) -> None:
        declared = {name: value for name, value in DECLARED.items() if name != "isolation"}
        await put_users(store, APP, [("u", {"silent": "yes", "place": "north", "likes": ["a"]})])
        app = LiveApp(parse_recipe(declared, "a test"), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
        await app.start()
        assert (await app.user_state("u")).attributes == {"likes": ["a"]}


class TestErasing:
    async def test_nothing_of_the_user_is_left(self, app: LiveApp, other: LiveApp) -> None:
        number = (await get_user(app.store, APP, "u")).number
        for one in (app, other):
            for whose, user in (("mine", "u"), ("theirs", "v")):
                answer, request_id = await ask(one, user), f"{whose} {id(one)}"
                one.impressions.add(request_id, answer.user, partial(answer.impression, request_id))
        await app.impressions.flush()
        assert await erase_user(app.store, APP, "u") == 4
        for one in (app, other):
            await one.follow()
            await one.impressions.flush()  # the other server's were still waiting
            state = await one.user_state("u")
            assert (len(state.history), dict(state.attributes)) == (0, {})
            assert ids(await ask(one)) == set(), "of what place a stranger is, nobody knows"
        with pytest.raises(NotFoundError):
            await get_user(app.store, APP, "u")
        assert number not in (await rows_after(app.store, APP, 0, 100)).users
        assert len((await rows_after(app.store, APP, 0, 100)).users) == 4
        assert await impressions_of_request(app.store, APP, f"mine {id(app)}") == []
        written = await impressions_of_request(app.store, APP, f"mine {id(other)}")
        assert [shown.user for shown in written] == [None]
        for one in (app, other):
            (shown,) = await impressions_of_request(app.store, APP, f"theirs {id(one)}")
            assert shown.user == (await get_user(app.store, APP, "v")).number

    @either_store
    async def test_a_cursor_of_before_shows_nothing_made_for_the_user(self, app: LiveApp) -> None:
        first = await ask(app, n=1)
        await erase_user(app.store, APP, "u")
        await app.follow()
        await put_users(app.store, APP, [("u", {"place": "north"})])
        second = await ask(app, n=1, cursor=first.next_cursor)
        assert second.slate.cold_start
        assert second.user == (await get_user(app.store, APP, "u")).number

    @either_store
    async def test_who_comes_back_is_somebody_new(self, app: LiveApp) -> None:
        before = (await get_user(app.store, APP, "u")).number
        await erase_user(app.store, APP, "u")
        await app.follow()
        await put_users(app.store, APP, [("u", {"place": "north"})])
        assert await app.append([event("n3")]) == [ACCEPTED]
        assert history(app, await app.user_state("u")) == ["n3"]
        assert (await ask(app)).user not in (None, before)


class TestIsolation:
    async def test_an_event_on_what_the_user_may_not_see_is_of_an_unknown_item(self, app: LiveApp) -> None:
        before = await rows_after(app.store, APP, 0, 100)
        batch = [
            event("n2"),
            event("s1"),
            event("nowhere"),
            event("nothing"),
            event("s2", user="s"),
            event("n5", user="s"),
            event("n5"),
        ]
        expected = [ACCEPTED, UNKNOWN, UNKNOWN, UNKNOWN, ACCEPTED, UNKNOWN, ACCEPTED]
        assert await app.append(batch) == expected
        assert len(await rows_after(app.store, APP, 0, 100)) == len(before) + 3
        assert history(app, await app.user_state("u")) == ["n0", "n1", "n1", "n2", "n4", "n5"]
        assert history(app, await app.user_state("s")) == ["s0", "s2"]
        assert await app.append([event("s1")]) == [UNKNOWN]
        assert await app.append([]) == []

    @either_store
    @pytest.mark.parametrize(("user", "told"), [("lost", UNKNOWN), ("new", Outcome.UNKNOWN_USER)])
    async def test_who_belongs_nowhere_can_tell_of_nothing_and_does_not_come_to_be(
        self, app: LiveApp, user: str, told: Outcome
    ) -> None:
        assert await app.append([event("n0", user=user), event("s0", user=user)]) == [told] * 2
        assert {known.user_id for known in await list_users(app.store, APP, 0, 10)} == {"u", "v", "s", "lost"}

    @either_store
    async def test_an_item_of_another_process_is_judged_before_its_first_event(self, app: LiveApp) -> None:
        await put_items(
            app.store, APP, [ItemWrite(i, {"place": place}) for i, place in (("a", "north"), ("b", "south"))]
        )
        assert await app.append([event("b"), event("a")]) == [UNKNOWN, ACCEPTED]

    @either_store
    async def test_who_moves_brings_nothing_with_them(self, app: LiveApp) -> None:
        await changed(app, place="south")
        answer = await ask(app)
        assert ids(answer) == {f"s{n}" for n in range(6)}
        assert answer.slate.cold_start, "nothing that they did here is known"
        told = answer.slate.feature_names.index("tag_overlap")
        plain = await ask(app, "s")
        assert np.count_nonzero(answer.slate.features[:, told]) == 2, "by what they said they like alone"
        assert len(plain.slate) == 6
        assert await app.append([event("n0"), event("s1")]) == [UNKNOWN, ACCEPTED]
        assert not (await ask(app)).slate.cold_start
        await changed(app, place="north")
        assert history(app, await app.user_state("u")) == ["n0", "n1", "n1", "n4", "s1"]
        assert ids(await ask(app)) == {"n0", "n1", "n2", "n3", "n5"}
        await changed(app, place=None)
        assert ids(await ask(app)) == set()

    @either_store
    async def test_the_pages_of_who_moves_go_on_in_the_new_place(self, app: LiveApp) -> None:
        first = await ask(app, n=2)
        assert ids(first) <= {"n0", "n1", "n2", "n3", "n5"}
        await changed(app, place="south")
        second = await ask(app, n=6, cursor=first.next_cursor)
        assert ids(second) == {f"s{n}" for n in range(6)}

    @either_store
    async def test_what_is_elsewhere_is_not_there(self, app: LiveApp) -> None:
        for item in ("s0", "nowhere", "nothing"):
            with pytest.raises(NotFoundError):
                await ask(app, feed="similar", item_id=item)
        assert ids(await ask(app, feed="similar", item_id="n0")) == {"n1", "n2", "n3", "n5"}
        for user in (None, "lost", "nobody"):
            for feed in ("home", "welcome"):
                assert ids(await ask(app, user, feed)) == set()

    @either_store
    async def test_excluding_what_is_elsewhere_tells_nothing(self, app: LiveApp) -> None:
        plain = await ask(app)
        excluding = await ask(app, exclude=("s0", "nowhere", "nothing"))
        assert excluding.slate.positions.tolist() == plain.slate.positions.tolist()
        assert excluding.slate.reasons == plain.slate.reasons

    @either_store
    async def test_what_is_elsewhere_is_explained_as_what_is_not(self, app: LiveApp) -> None:
        await changed(app, likes=["tag0"])
        for item_id in ("s0", "nothing"):
            with pytest.raises(NotFoundError, match=f'^no item "{item_id}" in town$'):
                await app.explain(FeedRequest("home", "u", exclude=("s0",)), item_id)
        mine = await app.explain(FeedRequest("home", "u", exclude=("n0",)), "n0")
        assert [filter_.name for filter_ in mine.filters] == ["isolation", "availability", "request", "blocked"]

    async def test_others_writes_of_a_user_hold_once_followed(self, app: LiveApp, other: LiveApp) -> None:
        await ask(app)
        await patch_user(other.store, APP, "u", {"place": "south"})
        await app.follow()
        assert await app.append([event("n3"), event("s3")]) == [UNKNOWN, ACCEPTED]
        # The store itself keeps nobody apart: what an import brings is not looked at by the feeds.
        await append_events(app.store, APP, [event("n2")], NOW)
        await app.follow()
        state = await app.user_state("u")
        assert "n2" in history(app, state)
        trace = await app.explain(FeedRequest("home", "u"), "s3")
        assert trace.reason is None or "north" not in trace.reason


@either_store
@pytest.mark.parametrize("said", ["true", "Yes", "1", "2", "on", "refused", "nein", 1.0, -1])
async def test_whatever_is_not_understood_is_a_refusal(app: LiveApp, said: object) -> None:
    await changed(app, silent=said)
    assert (await app.user_state("u")).opted_out


@either_store
@pytest.mark.parametrize("said", ["", "false", " No ", "F", "0", 0, 0.0])
async def test_what_says_no_refusal_is_none(app: LiveApp, said: object) -> None:
    await changed(app, silent=said)
    assert not (await app.user_state("u")).opted_out


@either_store
async def test_an_anchor_elsewhere_is_answered_as_one_that_is_not_there(app: LiveApp) -> None:
    told = []
    for item_id in ("s1", "zz"):
        with pytest.raises(NotFoundError) as caught:
            await ask(app, feed="similar", item_id=item_id)
        told.append(str(caught.value).replace(item_id, "ITEM"))
    assert told == ['no item "ITEM" in town'] * 2


@either_store
async def test_a_list_of_many_users_events_is_judged_user_by_user(app: LiveApp) -> None:
    events = [event("n3", user="u"), event("n3", user="s"), event("s3", user="s"), event("s0", user="u")]
    told = await app.append([*events, event("n2", user="new"), event("n2", user="v")])
    assert told == [ACCEPTED, UNKNOWN, ACCEPTED, UNKNOWN, Outcome.UNKNOWN_USER, ACCEPTED]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_an_erased_user_leaves_the_files_with_the_next_look(
    store: Store, tmp_path: Path, store_url: str
) -> None:
    file = Path(store_url.removeprefix("sqlite:///"))
    app = LiveApp(
        parse_recipe(DECLARED, "test"), store, ArtifactStore(tmp_path / "models"), Environment(lambda: 1)
    )
    await app.start()
    await app.writes.put_user("u", {"about": "a mark that is nowhere else"})
    assert await app.writes.erase_user("u") == 0
    await app.catch_up()
    kept = [path.read_bytes() for path in (file, file.with_name(f"{file.name}-wal"))]
    assert not any(b"a mark that is nowhere else" in content for content in kept)
