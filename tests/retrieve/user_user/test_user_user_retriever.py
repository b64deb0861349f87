"""User-user as it serves: four users and five items by hand, the rest by brute force over a dense matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.grounds_sample import may_be_named, own_in_words
from tests.retrieve.history_sample import histories

from homefeed.protocols import Retriever
from homefeed.retrieve.user_user import UserUser
from homefeed.retrieve.user_user.model import UserUserConfig, UserUserModel
from homefeed.retrieve.user_user.trainer import UserUserTrainer
from homefeed.taste import weighted_seeds
from homefeed.testing import Play, RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import NO_HISTORY, History, Item, Query


def user_user(world: World, model: UserUserModel | None = None, **config: Any) -> UserUser:
    fitted = model or UserUserTrainer(UserUserConfig()).fit(world.data)
    return UserUser(UserUser.Config.model_validate(config), replace(world.resources, models={"user_user": fitted}))


class TestUserUser(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return user_user(world)


class TestUserUserOfAtLeastTwo(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return user_user(world, min_users=2, neighbours=3, shrinkage=0)


# Four users and five items: every choice of strength 1, all at one time, so that cosines are easy to see.
FIVE = tuple(toy_item(p, f"i{p}", 9, title=f"Title {p}", content_type="movie", genre=["Drama"]) for p in range(5))
CHOICES: Mapping[str, tuple[int, ...]] = {"ann": (0, 1, 2), "bob": (0, 1, 3), "cai": (0, 4), "dee": (2, 3)}
PLAIN: Mapping[str, Any] = {**RECIPE, "events": {"play": {}, "hide": {"weight": -1.0}}}
HAND = make_world(
    FIVE,
    [Play(user, f"i{item}", 1, 1) for user, items in CHOICES.items() for item in items],
    declared=PLAIN,
)
COSINE = UserUserTrainer(UserUserConfig(item_exponent=0)).fit(HAND.data)


def asked(strengths: Mapping[str, float], **more: Any) -> Query:
    """A request by somebody new, who did all of that at one time."""
    history = toy_history(HAND, strengths)
    return HAND.query("new", history=replace(history, times=np.full_like(history.times, NOW)), **more)


def scores_of(retriever: UserUser, query: Query) -> dict[str, float]:
    positions, scores = retriever.retrieve(query, 100)
    return {f"i{position}": score for position, score in zip(positions.tolist(), scores.tolist(), strict=True)}


def test_four_users_and_five_items_by_hand() -> None:
    # Of (i0, i1): ann and bob share two of three, 2 / (sqrt 2 sqrt 3); cai one of two, 1 / (sqrt 2 sqrt 2).
    three, two = 2 / 6**0.5, 1 / 2
    found = scores_of(user_user(HAND, COSINE, shrinkage=0), asked({"i0": 1.0, "i1": 1.0}))
    assert found == pytest.approx(
        {"i0": 2 * three + two, "i1": 2 * three, "i2": three, "i3": three, "i4": two}, rel=1e-6
    )


def test_agreement_on_few_counts_less_by_hand() -> None:
    # n / (n + 2): two items count by a half, one by a third.
    three, two = 2 / 6**0.5 / 2, 1 / 2 / 3
    found = scores_of(user_user(HAND, COSINE, shrinkage=2), asked({"i0": 1.0, "i1": 1.0}))
    assert found == pytest.approx(
        {"i0": 2 * three + two, "i1": 2 * three, "i2": three, "i3": three, "i4": two}, rel=1e-6
    )


def test_what_is_disliked_counts_against_who_chose_it() -> None:
    # Of i1 and not i0: ann and bob cancel out, cai is unlike.
    assert scores_of(user_user(HAND, COSINE, shrinkage=0), asked({"i0": -1.0, "i1": 1.0})) == {}
    # Of i1 and half so much not i0: (1 - 0.5) / (sqrt 1.25 sqrt 3) each.
    half = 0.5 / 3.75**0.5
    found = scores_of(user_user(HAND, COSINE, shrinkage=0), asked({"i0": -0.5, "i1": 1.0}))
    assert found == pytest.approx({"i0": 2 * half, "i1": 2 * half, "i2": half, "i3": half}, rel=1e-5)


def test_how_strong_all_of_it_is_does_not_matter() -> None:
    retriever = user_user(HAND, COSINE)
    strong, faint = (scores_of(retriever, asked({"i0": weight, "i1": weight})) for weight in (1.0, 1e-30))
    assert faint == pytest.approx(strong, rel=1e-5)


def test_only_the_nearest_neighbours_count() -> None:
    # Of (i0, i1, i4): cai shares two of two, 2 / sqrt 6, ann and bob two of three, 2 / 3. But i0 and i4 are no
    # news, so cai is no neighbour; of ann and bob, both active last at one time, the first is taken.
    query = asked({"i0": 1.0, "i1": 1.0, "i4": 1.0})
    assert scores_of(user_user(HAND, COSINE, shrinkage=0, neighbours=1), query) == pytest.approx(
        {"i0": 2 / 3, "i1": 2 / 3, "i2": 2 / 3}
    )


def test_the_users_own_row_is_no_neighbour() -> None:
    # Bob, cai and dee remain of ann's neighbours: 2 / 3, 1 / sqrt 6, 1 / sqrt 6.
    sixth = 1 / 6**0.5
    found = scores_of(user_user(HAND, COSINE, shrinkage=0), HAND.query("ann"))
    assert found == pytest.approx(
        {"i0": 2 / 3 + sixth, "i1": 2 / 3, "i2": sixth, "i3": 2 / 3 + sixth, "i4": sixth}, rel=1e-5
    )


def test_nor_is_it_where_only_the_latest_events_count_or_an_item_was_deleted() -> None:
    world = make_world(FIVE, [Play("ann", f"i{item}", 1, 9 - item) for item in range(5)], declared=PLAIN)
    retriever = user_user(world, max_events=2, shrinkage=0)
    assert retriever.retrieve(world.query("ann"), 9)[0].tolist() == []
    history = world.histories["ann"]
    world.catalog.apply([replace(FIVE[0], deleted=True)])
    rest = history.take(history.items > 0)
    for built in (retriever, user_user(world, UserUserTrainer(UserUserConfig()).fit(world.data), max_events=2)):
        assert built.retrieve(world.query("ann", history=rest), 9)[0].tolist() == []


def test_whoever_did_the_same_has_nothing_to_tell() -> None:
    # Ten others know what the user knows and nothing else: they must not take the places of those who do.
    plays = [Play(f"same{n}", f"i{item}", 1, 1) for n in range(10) for item in (0, 1)]
    plays += [Play("other", f"i{item}", 1, 1) for item in (0, 1, 2)]
    world = make_world(FIVE, plays, declared=PLAIN)
    query = world.query("new", history=toy_history(world, {"i0": 1.0, "i1": 1.0}))
    assert world.ids(user_user(world, neighbours=2).retrieve(query, 9)[0]) == ("i0", "i1", "i2")


def test_an_item_that_too_few_chose_is_not_proposed() -> None:
    query = asked({"i0": 1.0, "i1": 1.0})
    assert set(scores_of(user_user(HAND, COSINE, min_users=2), query)) == {"i0", "i1"}
    assert set(scores_of(user_user(HAND, COSINE, min_users=3), query)) == {"i0"}


def test_a_reason_names_the_item_that_most_of_them_share() -> None:
    plays = [Play(user, f"i{item}", 1, 1) for user in ("ann", "bob", "cai") for item in (0, 4)]
    plays += [Play(user, "i1", 1, 1) for user in ("ann", "bob")] + [
        Play("dee", "i3", 1, 1),
        Play("dee", "i1", 1, 1),
    ]
    world = make_world(FIVE, plays, declared=PLAIN)
    retriever = user_user(world)
    query = world.query("new", history=toy_history(world, {"i0": 1.0, "i1": 1.0}))
    # i4 was chosen by three who share i0, of whom two share i1; i3 by one person, of whom nothing is told.
    assert retriever.reasons(query, world.positions("i4", "i3", "i2", "i1")) == [
        "People who chose Title 0 chose this, too",
        None,
        None,
        "You chose this before",
    ]
    unexplainable = replace(query, explainable=np.arange(5) != 0)
    assert retriever.reasons(unexplainable, world.positions("i4")) == ["People who chose Title 1 chose this, too"]
    assert retriever.reasons(replace(query, explainable=np.zeros(5, np.bool_)), world.positions("i4")) == [None]
    three = user_user(world, min_users=3)
    assert three.reasons(unexplainable, world.positions("i4")) == [None]
    assert three.reasons(query, world.positions("i4")) == ["People who chose Title 0 chose this, too"]


def test_of_items_shared_with_as_many_the_better_known_is_named() -> None:
    query = asked({"i0": 0.5, "i1": 1.0})
    plays = [Play(user, f"i{item}", 1, 1) for user in ("ann", "bob") for item in (0, 1, 2)]
    world = make_world(FIVE, [*plays, Play("dee", "i0", 1, 1)], declared=PLAIN)
    assert user_user(world).reasons(query, world.positions("i2")) == ["People who chose Title 0 chose this, too"]


def test_what_the_user_did_to_the_item_itself_tells_of_nobody_else() -> None:
    world = make_world(FIVE, [Play("ann", "i0", 1, 1), Play("ann", "i1", 1, 1)], declared=PLAIN)
    query = world.query("new", history=toy_history(world, {"i0": 1.0}))
    assert user_user(world).reasons(query, world.positions("i0", "i1")) == ["You chose this before", None]


def test_no_reason_names_what_the_user_dislikes() -> None:
    plays = [Play(user, f"i{item}", 1, 1) for user in ("ann", "bob") for item in (0, 1, 2)]
    world = make_world(FIVE, plays, declared=PLAIN)
    query = world.query("new", history=toy_history(world, {"i1": 0.5, "i0": -0.25}))
    assert user_user(world).reasons(query, world.positions("i2")) == ["People who chose Title 1 chose this, too"]


def test_on_an_items_page_the_reason_is_about_that_item() -> None:
    world = toy_world()
    query = world.query("cold", anchor="d1")
    positions, _ = user_user(world).retrieve(query, 9)
    assert world.ids(positions)[:2] == ("d2", "d3")
    assert "d1" not in world.ids(positions)
    assert user_user(world).reasons(query, world.positions("d2", "s1")) == [
        "Chosen by people who chose Harbour Lights",
        None,
    ]


def test_the_next_click_is_seen_without_training() -> None:
    world = toy_world()
    retriever = user_user(world)
    before = world.query("new", history=toy_history(world, {"d1": 1.0}))
    after = world.query("new", history=toy_history(world, {"d1": 1.0, "s1": 1.0}))
    assert "s2" not in world.ids(retriever.retrieve(before, 9)[0])
    assert "s2" in world.ids(retriever.retrieve(after, 9)[0])
    assert len(retriever.retrieve(world.query("new", history=NO_HISTORY), 9)[0]) == 0


WORLD = toy_world()
TOY = UserUserTrainer(UserUserConfig()).fit(WORLD.data)


def dense(model: UserUserModel) -> tuple[np.ndarray, np.ndarray]:
    """(users, items) the vectors and the strengths, in 64 bits."""
    vectors, strengths = np.zeros((2, model.user_count, len(model.numbers)))
    for item, (start, stop) in enumerate(zip(model.item_starts, model.item_starts[1:], strict=False)):
        vectors[model.item_users[start:stop], item] = model.item_weights[start:stop]
    for user, (start, stop) in enumerate(zip(model.user_starts, model.user_starts[1:], strict=False)):
        strengths[user, model.user_items[start:stop]] = model.user_strengths[start:stop]
    return vectors, strengths


@settings(max_examples=150)
@given(
    history=histories,
    anchor=st.none() | st.sampled_from([item.item_id for item in ITEMS]),
    shrinkage=st.sampled_from([0.0, 3.0]),
    least=st.sampled_from([1, 2]),
)
def test_scores_and_links_by_brute_force(
    history: History, anchor: str | None, shrinkage: float, least: int
) -> None:
    query = WORLD.query("u", history=history, anchor=anchor)
    vectors, strengths = dense(TOY)
    chose = strengths > 0
    items, weights = weighted_seeds(query, 50, 90.0)
    own = np.zeros(WORLD.catalog.size)
    own[items] = weights * TOY.damping[items]
    cosine = vectors @ own / max(float(np.linalg.norm(own)), 1e-9)
    shared = (chose & (own != 0)).sum(axis=1)
    new = WORLD.catalog.available & (own == 0)
    new[history.items] = False
    similar = np.where((chose & new).any(axis=1), cosine * shared / np.maximum(shared + shrinkage, 1), 0)
    similar = np.where(similar > 1e-6, similar, 0)
    neighbours = chose[similar > 0]
    expected = np.where(neighbours.sum(axis=0) >= least, similar @ strengths, 0) * query.eligible
    expected[[] if query.anchor is None else [query.anchor]] = 0

    retriever = user_user(WORLD, TOY, shrinkage=shrinkage, min_users=least)
    positions, scores = retriever.retrieve(query, 100)
    found = dict(zip(positions.tolist(), scores.tolist(), strict=True))
    wanted = {int(p): float(expected[p]) for p in np.flatnonzero(expected > 1e-6)}
    assert {p: score for p, score in found.items() if score > 1e-6} == pytest.approx(wanted, rel=1e-3, abs=1e-6)

    every = np.arange(WORLD.catalog.size, dtype=np.int32)
    # One by one: in a list what was named twice gives way to near equals.
    links = [retriever.reasons(query, each)[0] if len(items) else None for each in every[:, None]]
    liked = [i for i, w in zip(items.tolist(), weights.tolist(), strict=True) if w > 0 and query.explainable[i]]
    users = WORLD.counters.events.tolist()
    for position, said in enumerate(links):
        people = {i: float((neighbours[:, i] & neighbours[:, position]).sum()) for i in liked}
        people = {i: count for i, count in people.items() if count >= 2 or (i == position and count)}
        named = may_be_named(people, position, users, own=anchor is None)
        words = "Chosen by people who chose {}" if anchor else "People who chose {} chose this, too"
        true: dict[int, str | None] = {i: words.format(WORLD.catalog.title(i)) for i in people}
        true |= {-1: None, position: own_in_words(query, position)}
        assert said in {true[item] for item in named}


def test_items_newer_than_the_model_neither_speak_nor_are_spoken_for() -> None:
    world = toy_world()
    retriever = user_user(world)
    world.catalog.apply([NEW_ITEM])
    alone = world.query("u", history=toy_history(world, {"d1": 1.0}))
    beside = world.query("u", history=toy_history(world, {"d1": 1.0, "new": 1.0}))
    np.testing.assert_array_equal(retriever.retrieve(alone, 9)[0], retriever.retrieve(beside, 9)[0])
    assert retriever.reasons(beside, world.positions("new", "d2")) == [
        None,
        "People who chose Harbour Lights chose this, too",
    ]
    only = world.query("u", history=toy_history(world, {"new": 1.0}))
    assert len(retriever.retrieve(only, 9)[0]) == 0


def test_deleted_items_are_not_proposed() -> None:
    world = toy_world()
    retriever = user_user(world)
    gone = next(item for item in ITEMS if item.item_id == "d2")
    world.catalog.apply([replace(gone, deleted=True)])
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    for built in (retriever, user_user(world, TOY)):
        positions, _ = built.retrieve(query, 9)
        assert world.catalog.position("d2") is None
        assert [world.catalog.item_id(position) for position in positions.tolist()][:2] == ["d1", "d3"]


def test_a_catalogue_without_the_models_items_has_nothing() -> None:
    served = make_world([Item("extra", 901, {}, None)], PLAYS[:0])
    retriever = user_user(served, TOY)
    query = served.query("u", history=toy_history(served, {"extra": 1.0}))
    assert len(retriever.retrieve(query, 9)[0]) == 0
    assert retriever.reasons(query, served.positions("extra")) == [None]


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"neighbours": 50, "shrinkage": 2.0, "min_users": 1}
    assert {name: UserUser.Config.model_fields[name].default for name in expected} == expected
