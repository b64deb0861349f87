"""The offline evaluation of next baskets: what may come again, and that nothing of the basket is known before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluate.offline_sample import Seen, evaluated, planted_world, rewritten, watched, with_events

from homefeed.errors import HomefeedError
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.split import next_basket
from homefeed.testing import Play, make_world, toy_item
from homefeed.types import DAY


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return watched(monkeypatch)


@pytest.mark.parametrize("repeats", [False, True])
def test_baskets_are_requested_as_they_begin(seen: Seen, repeats: bool) -> None:
    world = with_events(planted_world(), lambda events: replace(events, times=events.times - events.times % DAY))
    result = evaluated(world, protocol=Protocol("basket", repeats=repeats))
    events, split = world.data.interactions, next_basket(world.data.interactions, repeats=repeats)
    assert (result.leaks, result.failures) == ((), ())
    assert result.replayed == len(split.cases) > 20
    calibrating, *asked = seen.past
    assert calibrating.interactions.times.max() < calibrating.now < split.cutoff
    for past in asked:
        assert past.interactions.times.max() < split.cutoff == past.now
    had = [events.items[case.history] for case in split.cases]
    shown = [np.isin(*pair).any() for lists in seen.lists for pair in zip(lists, had, strict=True)]
    assert any(shown) is repeats, "what they had may be ranked again, or never is"
    targets = [case.targets for case in split.cases]
    again = sum(int(np.isin(wanted, history).sum()) for wanted, history in zip(targets, had, strict=True))
    assert (result.used.targets, result.used.repeated_targets) == (sum(map(len, targets)), again)
    assert (again > 0) is repeats
    as_json = result.to_json()
    assert (as_json["targets"], as_json["repeated_targets"]) == (result.used.targets, again)
    assert "first basket after it begins" in as_json["protocol"]["description"]


@pytest.mark.parametrize("repeats", [False, True])
def test_nothing_from_the_basket_on_can_change_what_is_ranked_for_it(seen: Seen, repeats: bool) -> None:
    world, protocol = planted_world(), Protocol("basket", repeats=repeats)
    cutoff = next_basket(world.data.interactions).cutoff
    ranked = []
    for future in (world, rewritten(world, cutoff, 1)):
        seen.lists.clear()
        evaluated(future, protocol=protocol)
        users = next_basket(future.data.interactions, repeats=repeats).cases.users.tolist()
        ranked.append([dict(zip(users, map(tuple, lists), strict=True)) for lists in seen.lists])
    for then, now in zip(*ranked, strict=True):
        both = then.keys() & now.keys()
        assert len(both) > 10
        # A request at another moment is shown the same: nothing is newer, and nothing was learned since.
        assert all(then[user] == now[user] for user in both)


def test_validation_of_baskets_never_touches_the_test() -> None:
    world, protocol = planted_world(), Protocol("basket", validation=True)
    cutoff = next_basket(world.data.interactions).cutoff
    as_it_was, future_changed = (evaluated(one, protocol=protocol) for one in (world, rewritten(world, cutoff, 1)))
    assert as_it_was == future_changed
    assert as_it_was.used.last_request < cutoff


def test_no_user_with_a_next_basket_is_a_clear_error() -> None:
    catalog = [toy_item(n, f"i{n}", 200, title=f"Title {n}") for n in range(5)]
    once_each = make_world(catalog, [Play(f"u{n}", f"i{n % 5}", 60, 40 - n) for n in range(40)])
    with pytest.raises(HomefeedError, match=r"^toy: no user with events before the cutoff has a basket after it"):
        evaluated(once_each, protocol=Protocol("basket"))
