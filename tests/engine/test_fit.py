"""From events to strengths, signals and models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.engine import event_weights, fit_model, fit_signals, prepare, text_model_of, with_text_model
from homefeed.recipe import Recipe, parse_recipe
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.testing import Play, make_world, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import DAY, TrainingData


def recipe(**changes: Any) -> Recipe:
    return parse_recipe({**RECIPE, **changes}, "a test")


EVENTS: dict[str, Any] = {
    "play": {"full": "typical"},
    "rating": {"weight": 2.0, "full": 5.0},
    "like": {"weight": 0.5},
    "dislike": {"weight": -1.0},
}


def events_of(*rows: tuple[str, str, float, float]) -> TrainingData:
    """Events of one user as (item, event type, value, days ago), in the toy catalogue."""
    world = toy_world()
    types, count = list(EVENTS), len(rows)
    interactions = replace(
        world.data.interactions,
        users=np.zeros(count, np.int32),
        items=world.positions(*(row[0] for row in rows)),
        types=np.array([types.index(row[1]) for row in rows], np.int32),
        values=np.array([row[2] for row in rows], np.float32),
        strengths=np.zeros(count, np.float32),
        times=np.array([NOW - int(row[3] * DAY) for row in rows], np.int64),
    )
    return replace(world.data, interactions=interactions, user_count=1)


def test_event_types_as_columns() -> None:
    weights = event_weights(recipe(events=EVENTS))
    assert weights.names == ("play", "rating", "like", "dislike")
    assert weights.weight.tolist() == [1, 2, 0.5, -1]
    assert weights.full.tolist() == pytest.approx([np.nan, 5, np.nan, np.nan], nan_ok=True)
    assert weights.typical.tolist() == [True, False, False, False]
    assert weights.codes(["like", "unheard of", "play"]).tolist() == [2, -1, 0]


def test_strengths_are_measured_by_the_data_at_hand() -> None:
    data = events_of(
        ("d1", "play", 3600, 3),
        ("d1", "play", 900, 2),
        ("d2", "rating", 2.5, 2),
        ("d1", "like", np.nan, 1),
        ("d1", "dislike", np.nan, 1),
    )
    prepared = prepare(recipe(events=EVENTS), data)
    assert prepared.data.interactions.strengths.tolist() == [1, 0.25, 1, 0.5, -1]
    # A rating of 2.5 is no playing time: only plays make a typical full watch.
    assert prepared.full[0] == 3600
    assert prepared.full[1] == 3600  # d2, a series like d1
    assert not data.interactions.strengths.any()


def test_without_a_full_value_or_a_group_strengths_need_no_values() -> None:
    bare = recipe(events={"play": {}, "rating": {}, "like": {}, "dislike": {}}, signals={})
    prepared = prepare(bare, events_of(("d1", "play", np.nan, 1)))
    assert prepared.data.interactions.strengths.tolist() == [1]
    assert set(prepared.group_full) == {""}


def test_signals_count_the_events() -> None:
    world = toy_world()
    prepared = prepare(world.recipe, world.data)
    signals = fit_signals(world.recipe, prepared, watermark=1234)
    events = prepared.data.interactions
    assert signals.watermark == 1234
    assert signals.landmark == events.times[-1]
    for position, item in enumerate(ITEMS):
        of_item = events.items == position
        assert signals.numbers[position] == item.number
        assert signals.events[position] == sum(play.item_id == item.item_id for play in PLAYS)
        assert signals.strength[position] == pytest.approx(events.strengths[of_item].sum())
        fading = 2.0 ** ((events.times[of_item] - signals.landmark) / DAY / 2)
        assert signals.trend[position] == pytest.approx((events.strengths[of_item] * fading).sum())


def test_dislikes_are_not_counted_and_take_no_strength_away() -> None:
    liked = recipe(events=EVENTS)
    signals = fit_signals(liked, prepare(liked, events_of(("d1", "like", 0, 2), ("d1", "dislike", 0, 0))), 0)
    assert (signals.events[0], signals.strength[0]) == (1, 0.5)
    assert signals.trend[0] == pytest.approx(0.25)


def test_what_one_user_repeats_counts_once_unless_every_event_does() -> None:
    played = [("d1", "rating", value, day) for value, day in ((2.5, 5), (2.5, 4), (5, 3), (2.5, 1))]
    counted = {}
    for count in ("users", "events"):
        told = recipe(events=EVENTS, signals={"trending_half_life_days": 2, "count": count})
        signals = fit_signals(told, prepare(told, events_of(*played)), 0)
        assert signals.landmark == NOW - DAY
        counted[count] = signals.events[0], signals.strength[0], signals.trend[0]
    # A whole rating weighs 2: the strongest of all; and what most is left of, 1 of today beside 2 of two days ago.
    assert counted["users"] == pytest.approx((1, 2, 1))
    assert counted["events"] == pytest.approx((4, 5, 2**-2 + 2**-1.5 + 1 + 1))


def test_nobody_makes_typical_what_they_alone_do() -> None:
    """One user's hundred plays of a day do not make half an hour look like nothing."""
    told = recipe(signals={"full_shrinkage": 0})
    plays = [Play("bot", "d1", 86_400, 2)] * 100 + [Play(f"u{n}", "d1", 1_800, 1) for n in range(9)]
    world = make_world(ITEMS, plays, declared={**RECIPE, "signals": {"full_shrinkage": 0}})
    assert prepare(told, world.data).full[0] == 1_800


def test_an_event_to_come_counts_as_of_now() -> None:
    told = recipe(events=EVENTS)
    signals = fit_signals(told, prepare(told, events_of(("d1", "like", 0, 0), ("d2", "like", 0, -9_000))), 0)
    assert signals.landmark == NOW
    assert signals.trend[:2].tolist() == [0.5, 0.5]


def test_nothing_happened_yet() -> None:
    world = make_world(ITEMS, ())
    signals = fit_signals(world.recipe, prepare(world.recipe, world.data), 0)
    assert not signals.events.any()
    assert signals.landmark == world.data.now
    assert signals.full.tolist() == [2700] * len(ITEMS)


@pytest.mark.parametrize(("name", "kind"), [("item_item", ItemItemModel), ("content", ContentModel)])
def test_a_model_is_fitted_by_the_trainer_of_its_part(name: str, kind: type) -> None:
    world = toy_world()
    renamed = recipe(models={"other": {"part": name, **RECIPE["models"][name]}})
    (spec,) = renamed.models
    assert spec.name == "other"
    assert isinstance(fit_model(spec, world.data), kind)


def test_of_distinct_events_each_pair_of_user_and_item_is_kept_once() -> None:
    told = recipe(events=EVENTS, signals={"distinct": ["dislike", "rating"]})
    data = events_of(
        ("d1", "dislike", 0, 5),
        ("d1", "dislike", 0, 4),
        ("s1", "dislike", 0, 3),
        ("d1", "dislike", 0, 2),
        ("d1", "like", 0, 1),
    )
    two_users = replace(data, interactions=replace(data.interactions, users=np.array([1, 1, 1, 0, 0], np.int32)))
    known = replace(two_users, user_count=2, user_numbers=np.array([30, 9], np.int32))
    signals = fit_signals(told, prepare(told, known), 0)
    d1, s1 = ITEMS[0].number, ITEMS[3].number
    assert sorted(map(tuple, signals.distinct["dislike"].tolist())) == [(9, d1), (9, s1), (30, d1)]
    assert signals.distinct["rating"].shape == (0, 2)
    unknown = fit_signals(told, prepare(told, two_users), 0)
    assert sorted(map(tuple, unknown.distinct["dislike"].tolist())) == [(0, d1), (1, d1), (1, s1)]
    assert fit_signals(recipe(events=EVENTS), prepare(told, known), 0).distinct == {}


def test_a_text_model_of_the_settings_is_for_models_that_name_none() -> None:
    named = {"content": RECIPE["models"]["content"], "item_item": {}, "mine": {"part": "content"}}
    named["mine"] |= RECIPE["models"]["content"] | {"text_model": "my/own"}
    before = recipe(models=named)
    after = with_text_model(before, "some/folder")
    configs = {spec.name: spec.config.model_dump() for spec in after.models}
    assert configs["content"]["text_model"] == "some/folder"
    assert configs["mine"]["text_model"] == "my/own"
    assert "text_model" not in configs["item_item"]
    assert [spec.config.model_dump().get("text_model") for spec in before.models] == [None, None, "my/own"]
    assert with_text_model(before, None) == before


def test_where_the_settings_name_no_text_model_it_is_the_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.engine.fit.default_text_model", lambda: "wordllama")
    assert text_model_of(None) == "wordllama"
    assert text_model_of("none") is None
    assert text_model_of("some/folder") == "some/folder"
    monkeypatch.setattr("homefeed.engine.fit.default_text_model", lambda: None)
    assert text_model_of(None) is None
