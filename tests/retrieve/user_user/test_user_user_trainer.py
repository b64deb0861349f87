"""Users' vectors by the formula of the trainer's docstring, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.protocols import BatchTrainer
from homefeed.retrieve.user_user import trainer
from homefeed.retrieve.user_user.model import UserUserConfig, UserUserModel
from homefeed.retrieve.user_user.trainer import UserUserTrainer
from homefeed.testing import TrainerContract
from homefeed.testing.world import NOW
from homefeed.types import DAY, Interactions, TrainingData

Events = Sequence[tuple[int, int, float, float]]

USERS, ITEMS = 5, 6


class TestUserUserTrainer(TrainerContract):
    def make(self) -> UserUserTrainer:
        return UserUserTrainer(UserUserConfig())


def data_of(events: Events) -> TrainingData:
    """Events as (user, item, strength, days ago), sorted here. The number of an item is 100 + its position."""
    events = sorted(events, key=lambda event: -event[3])
    users, positions, strengths, days = zip(*events, strict=True) if events else ((), (), (), ())
    count = len(events)
    interactions = Interactions(
        np.array(users, np.int32),
        np.array(positions, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
        np.array(strengths, np.float32),
        np.array([NOW - int(day * DAY) for day in days], np.int64),
    )
    return TrainingData(interactions, USERS, np.arange(100, 100 + ITEMS, dtype=np.int32), {}, NOW)


def fitted(events: Events, **config: float) -> UserUserModel:
    return UserUserTrainer(UserUserConfig.model_validate(config)).fit(data_of(events))


def rows(model: UserUserModel) -> list[dict[int, float]]:
    """What each user chose, and how strongly."""
    parts = [slice(model.user_starts[u], model.user_starts[u + 1]) for u in range(model.user_count)]
    columns = model.user_items, model.user_strengths
    return [dict(zip(*(column[part].tolist() for column in columns), strict=True)) for part in parts]


def lists(model: UserUserModel) -> list[dict[int, float]]:
    """Who chose each item, and the entries of their vectors; in the model's order."""
    parts = [slice(model.item_starts[i], model.item_starts[i + 1]) for i in range(len(model.numbers))]
    columns = model.item_users, model.item_weights
    return [dict(zip(*(column[part].tolist() for column in columns), strict=True)) for part in parts]


def test_two_users_by_hand() -> None:
    # User 1 was active last, so comes first; item 0 has two users, d = 2^-0.5, the others one, d = 1.
    events = [(0, 0, 1.0, 10), (0, 1, 0.5, 10), (1, 0, 1.0, 1 + 30), (1, 2, 1.0, 1)]
    model = fitted(events, half_life_days=30, item_exponent=0.5)
    assert rows(model) == [{0: 0.5, 2: 1.0}, {0: 1.0, 1: 0.5}]
    assert model.damping.tolist() == pytest.approx([0.5**0.5, 1, 1, 1, 1, 1])
    # |(0.5 d, 1)|^2 = 1 / 8 + 1, |(d, 0.5)|^2 = 1 / 2 + 1 / 4
    first, second = (9 / 8) ** 0.5, (3 / 4) ** 0.5
    assert lists(model)[:3] == [
        pytest.approx({0: 0.5**1.5 / first, 1: 0.5**0.5 / second}),
        pytest.approx({1: 0.5 / second}),
        pytest.approx({0: 1 / first}),
    ]
    assert model.numbers.tolist() == [100, 101, 102, 103, 104, 105]


def by_formula(
    events: Events, half_life: float, exponent: float
) -> list[tuple[dict[int, float], dict[int, float]]]:
    """Of each user with two items or more, the last active first: what they chose, and their vector."""
    found = []
    for user in {event[0] for event in events}:
        own = [event[1:] for event in events if event[0] == user]
        last = min(day for *_, day in own)
        values = {}
        for item in {item for item, *_ in own}:
            weights = [strength * 2 ** ((last - day) / half_life) for i, strength, day in own if i == item]
            weightiest = max(weights, key=abs)
            if weightiest > 0:
                values[item] = weightiest
        if len(values) > 1:
            found.append((last, user, values))
    found.sort()
    chosen = [item for *_, values in found for item in values]
    d = {item: chosen.count(item) ** -exponent for item in chosen}
    answer = []
    for *_, values in found:
        length = sum((d[item] * value) ** 2 for item, value in values.items()) ** 0.5
        answer.append((values, {item: d[item] * value / length for item, value in values.items()}))
    return answer


events_of = st.lists(
    st.tuples(
        st.integers(0, USERS - 1),
        st.integers(0, ITEMS - 1),
        st.sampled_from([-1.0, 0.0, 0.25, 1.0, 3.0]),
        st.integers(0, 400).map(float),
    ),
    max_size=25,
    unique_by=lambda event: event[3],
)


@settings(max_examples=60)
@given(events=events_of, half_life=st.sampled_from([30.0, 1e6]), exponent=st.sampled_from([0.0, 0.25, 1.0]))
def test_vectors_are_those_of_the_formula(events: Events, half_life: float, exponent: float) -> None:
    model = fitted(events, half_life_days=half_life, item_exponent=exponent)
    expected = by_formula(events, half_life, exponent)
    assert rows(model) == [pytest.approx(values, rel=1e-5) for values, _ in expected]
    for item, users in enumerate(lists(model)):
        vectors = {user: vector[item] for user, (_, vector) in enumerate(expected) if item in vector}
        assert users == pytest.approx(vectors, rel=1e-5)
        assert list(users) == sorted(users)


def test_a_later_dislike_takes_an_item_away_and_an_earlier_one_does_not() -> None:
    stays = [(0, 1, 1.0, 3), (0, 2, 1.0, 3)]
    assert rows(fitted([*stays, (0, 0, 1.0, 2), (0, 0, -1.0, 1)], half_life_days=1e6))[0].keys() == {1, 2}
    assert rows(fitted([*stays, (0, 0, -1.0, 2), (0, 0, 1.0, 1)], half_life_days=1e6))[0].keys() == {0, 1, 2}


def test_one_item_leads_to_no_other() -> None:
    model = fitted([(0, 0, 1.0, 1), (1, 0, 1.0, 2), (1, 1, 1.0, 2), (2, 3, -1.0, 1)])
    assert rows(model) == [{0: 1, 1: 1}]


def test_of_a_user_with_too_many_items_the_weightiest_are_kept() -> None:
    model = fitted([(0, item, 0.25 * (item + 1), 1) for item in range(4)], max_items_per_user=2)
    assert rows(model) == [{2: 0.75, 3: 1.0}]
    # The vector is that of what is kept.
    assert sum(weight**2 for users in lists(model) for weight in users.values()) == pytest.approx(1)


def test_of_an_item_with_too_many_users_the_last_active_are_kept() -> None:
    events = [(user, item, 1.0, 10.0 - user) for user in range(4) for item in (0, user + 1)]
    model = fitted(events, max_users_per_item=2)
    assert [set(row) for row in rows(model)] == [{0, 4}, {0, 3}, {0, 2}, {0, 1}]
    assert list(lists(model)[0]) == [0, 1]
    assert list(lists(model)[1]) == [3]


def test_what_faded_to_nothing_is_nothing() -> None:
    model = fitted([(0, 0, 1.0, 400), (0, 1, 1.0, 0), (0, 2, 1.0, 0)], half_life_days=0.001)
    assert rows(model) == [{1: 1, 2: 1}]
    assert np.isfinite(model.item_weights).all()


def test_where_nobody_chose_anything_there_is_nobody() -> None:
    model = UserUserTrainer(UserUserConfig()).fit(replace(data_of([]), user_count=0))
    assert model.user_count == 0
    assert model.item_starts.tolist() == [0] * (ITEMS + 1)


@given(events=events_of)
def test_users_are_taken_in_batches_and_it_makes_no_difference(events: Events) -> None:
    whole = fitted(events, max_items_per_user=2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trainer, "_BATCH", 2)
        by_two = fitted(events, max_items_per_user=2)
    for field in fields(whole):
        np.testing.assert_array_equal(getattr(by_two, field.name), getattr(whole, field.name))


def test_it_tells_how_many_users_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "_BATCH", 2)
    told: list[tuple[int, int]] = []
    maker = UserUserTrainer(UserUserConfig())
    assert isinstance(maker, BatchTrainer)
    maker.fit_in_batches(data_of([(0, 0, 1.0, 1.0)]), lambda done, of: told.append((done, of)))
    assert told == [(2, 5), (4, 5), (5, 5)]
