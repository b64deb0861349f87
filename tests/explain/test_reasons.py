"""Which retriever gets to speak for an item, and whether what it says is true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.retrieve.grounds_sample import may_be_named, own_in_words

from homefeed.engine import build_feeds
from homefeed.explain import reasons_for
from homefeed.funnel import Feed, rank, recommend
from homefeed.protocols import RetrieverExplainer
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item import ItemItem
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.taste import weighted_seeds
from homefeed.testing import World, toy_world
from homefeed.testing.world import NOW, USERS
from homefeed.types import DAY, Candidates, Floats, Positions, Query

WORLD = toy_world()
HOME = build_feeds(WORLD.recipe, WORLD.resources)["home"]


class Says:
    """Gives the reason it is told for each position; None where it is told nothing."""

    def __init__(self, said: dict[int, str]) -> None:
        self.said = said
        self.asked: list[int] = []

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        self.asked += positions.tolist()
        return [self.said.get(position) for position in positions.tolist()]


class Fails:
    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        raise RuntimeError("no words")


def page(*retriever_scores: list[float]) -> Candidates:
    """Items 10, 11, ... by what the retrievers a and b gave them."""
    rows, count = np.array(retriever_scores, np.float32).reshape(len(retriever_scores), 2), len(retriever_scores)
    positions = np.arange(10, 10 + count, dtype=np.int32)
    features = np.zeros((count, 3), np.float32)
    return Candidates(positions, ("a", "b"), rows, ("a", "other", "b"), features, np.zeros(count, np.float32))


def added(*rows: list[float]) -> Floats:
    """What the features a, other and b added."""
    return np.array(rows, np.float32)


MISSING = float("nan")
QUERY = WORLD.query()


def test_the_retriever_that_added_most_speaks() -> None:
    a, b = Says({10: "a10", 11: "a11"}), Says({10: "b10", 11: "b11"})
    contributions = added([1.0, 9.0, 2.0], [2.0, 9.0, 1.0])
    found = reasons_for(QUERY, page([1, 1], [1, 1]), contributions, {"a": a, "b": b}, "otherwise")
    assert found == ("b10", "a11")
    assert (a.asked, b.asked) == ([11], [10])


def test_one_that_proposed_nothing_is_not_asked() -> None:
    a, b = Says({10: "a10"}), Says({10: "b10"})
    contributions = added([5.0, 0.0, -1.0])
    assert reasons_for(QUERY, page([MISSING, 1]), contributions, {"a": a, "b": b}, "otherwise") == ("b10",)
    assert a.asked == []


def test_the_next_speaks_where_one_has_nothing_to_say() -> None:
    a, b = Says({}), Says({10: "b10", 11: ""})
    contributions = added([2.0, 0.0, 1.0], [2.0, 0.0, 1.0])
    found = reasons_for(QUERY, page([1, 1], [1, 1]), contributions, {"a": a, "b": b}, "otherwise")
    assert found == ("b10", "otherwise")


def test_without_anyone_to_ask_something_is_said() -> None:
    assert reasons_for(QUERY, page([1, 1]), added([1, 1, 1]), {}, "otherwise") == ("otherwise",)
    assert reasons_for(QUERY, page(), added().reshape(0, 3), {"a": Says({})}, "otherwise") == ()


def test_one_that_fails_is_named_and_the_next_speaks() -> None:
    failed: dict[str, str] = {}
    contributions = added([2.0, 0.0, 1.0])
    parts: dict[str, RetrieverExplainer] = {"a": Fails(), "b": Says({10: "b10"})}
    assert reasons_for(QUERY, page([1, 1]), contributions, parts, "otherwise", failed) == ("b10",)
    assert failed == {"a": "RuntimeError: no words"}
    assert reasons_for(QUERY, page([1, 1]), contributions, {"a": Fails()}, "otherwise") == ("otherwise",)


def test_a_misspelt_placeholder_costs_the_sentence_not_the_page() -> None:
    misspelt = ItemItem(ItemItem.Config(reason="Because of {titel}"), WORLD.resources)
    retrievers = {**HOME.retrievers, "item_item": (misspelt, 200)}
    feed = Feed("f", HOME.settings, HOME.filters, retrievers, {}, HOME.ranker, {})
    slate = recommend(feed, WORLD.query("da"))
    assert len(slate) == 9
    assert slate.failed == {"item_item": "KeyError: 'titel'"}
    assert all(slate.reasons)


@pytest.mark.parametrize("user_id", USERS)
@pytest.mark.parametrize("days_later", [0, 1, 30])
def test_every_reason_is_true(user_id: str, days_later: int) -> None:
    """Each sentence is made anew from the plays, the models' numbers and the dates, and must come out the same."""
    query = WORLD.query(user_id, n=12, now=NOW + days_later * DAY)
    slate = recommend(HOME, query)
    true = truths(WORLD, query)
    for position, reason, sources in zip(slate.positions.tolist(), slate.reasons, slate.sources, strict=True):
        assert reason in {sentence for source in sources for sentence in true[source].get(position, ())}


def truths(world: World, query: Query) -> dict[str, dict[int, set[str]]]:
    """By retriever and position, the sentences that may be said."""
    everything = range(world.catalog.size)
    events = world.data.interactions
    true: dict[str, dict[int, set[str]]] = {name: {} for name in ("item_item", "content", "trending", "fresh")}
    true["popular"] = {p: {plays_in_words(int((events.items == p).sum()))} for p in everything}
    for position in everything:
        fading = events.strengths * 2.0 ** ((events.times - query.now) / DAY / 2)
        if fading[events.items == position].sum() >= 2:
            true["trending"][position] = {"Trending now"}
        days = (query.now - int(world.catalog.created[position])) / DAY
        if 0 <= days <= 14:
            age = "today" if days < 1 else "yesterday" if days < 2 else f"{int(days)} days ago"
            true["fresh"][position] = {f"New: added {age}"}
        for name, words in (("item_item", "Because you chose"), ("content", "Similar to")):
            true[name][position] = {
                own_in_words(query, item) if item == position else f"{words} {world.catalog.title(item)}"
                for item in contributors(world, query, name, position)
                if item >= 0
            }
    return true


def plays_in_words(count: int) -> str:
    return "Not chosen by many yet" if count < 2 else f"Popular: chosen by {count} users"


def contributors(world: World, query: Query, name: str, position: int) -> set[int]:
    """Of the items of the history that can be seen, what may be named: several where rounding decides."""
    by_places = ItemItemConfig().place_exponent if name == "item_item" else 0.0
    items, weights = weighted_seeds(query, 50, ItemItem.Config().half_life_days, by_places)
    gains = {
        item: weight * similarity(world, name, item, position)
        for item, weight in zip(items.tolist(), weights.tolist(), strict=True)
        if world.catalog.available[item]
    }
    return may_be_named(gains, position, world.counters.events.tolist())


def similarity(world: World, name: str, one: int, other: int) -> float:
    if name == "content":
        content = world.resources.model("content", ContentModel)
        assert content is not None
        return float(content.vectors[one] @ content.vectors[other])
    model = world.resources.model("item_item", ItemItemModel)
    assert model is not None
    span = slice(model.indptr[one], model.indptr[one + 1])
    if one == other:
        return float(model.weights[span].max(initial=0))
    return float(model.weights[span][model.indices[span] == other].sum())


@pytest.mark.parametrize("user_id", USERS)
def test_the_one_who_speaks_added_most_of_those_with_something_to_say(user_id: str) -> None:
    query = WORLD.query(user_id, n=12)
    ranked = rank(HOME, query)
    slate = recommend(HOME, query)
    candidates = ranked.candidates.take(slice(len(slate)))
    contributions = ranked.feed.ranker.contributions(ranked.query, candidates)
    for row, reason in enumerate(slate.reasons):
        said = {
            name: part.reasons(ranked.query, slate.positions[row : row + 1])[0]
            for name, part in ranked.feed.explaining.items()
            if name in slate.sources[row]
        }
        added_by = {name: contributions[row, candidates.feature_names.index(name)] for name in said}
        most = max(added_by[name] for name, sentence in said.items() if sentence is not None)
        assert reason in {said[name] for name in said if added_by[name] == most}
