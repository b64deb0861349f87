"""What speaks most for an item: by hand, and by the rule as it is written."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.grounds_sample import may_be_named

from homefeed.retrieve import contributions as module
from homefeed.retrieve.contributions import CATEGORY, NAMED_IN_A_ROW, NOTHING_TO_SAY, OTHER_ITEM, OWN, grounds_of
from homefeed.types import Codes

NO_CODES: Codes = np.empty(0, np.int32)


def found(
    added: dict[int, float],
    position: int,
    users: dict[int, float] | None = None,
    codes: list[int] | None = None,
    *,
    own: bool = True,
) -> tuple[int, int, float]:
    """The kind, the item and the largest contribution, of one item to which others (at most 9) added so much."""
    known = np.array([(users or {}).get(item, 0.0) for item in range(9)])
    grounds = grounds_of(
        np.array(list(added.values()), np.float64).reshape(-1, 1),
        np.array(list(added), np.int32),
        np.array([position], np.int32),
        known,
        NO_CODES if codes is None else np.array(codes, np.int32),
        own=own,
    )
    return grounds.kinds.item(), grounds.items.item(), grounds.largest.item()


def test_the_item_that_added_most_is_named() -> None:
    assert found({1: 0.5, 2: 1.0, 4: 0.75}, 7) == (OTHER_ITEM, 2, 1.0)
    assert found({1: 0.0, 2: -1.0}, 7) == (NOTHING_TO_SAY, -1, 0.0)
    assert found({}, 7) == (NOTHING_TO_SAY, -1, 0.0)


def test_of_near_equals_the_better_known_then_the_larger_then_the_newest_is_named() -> None:
    assert found({1: 0.95, 2: 1.0, 4: 0.9375}, 7, {1: 5, 2: 4, 4: 5}) == (OTHER_ITEM, 1, 1.0)
    assert found({1: 0.9375, 2: 1.0, 4: 0.95}, 7, {1: 5, 2: 4, 4: 5}) == (OTHER_ITEM, 4, 1.0)
    assert found({1: 0.95, 2: 1.0, 4: 0.95}, 7, {1: 5, 2: 4, 4: 5}) == (OTHER_ITEM, 4, 1.0)
    # What is known to all, but added less than nine tenths of the largest, is not.
    assert found({1: 0.875, 2: 1.0}, 7, {1: 1_000}) == (OTHER_ITEM, 2, 1.0)


def test_the_item_itself_comes_first_where_no_other_added_more() -> None:
    assert found({1: 1.0, 7: 1.0}, 7) == (OWN, 7, 1.0)
    assert found({1: 1.0, 7: 0.95}, 7, {7: 1_000}) == (OTHER_ITEM, 1, 1.0)
    assert found({1: 0.5, 7: 1.0}, 7, own=False) == (OTHER_ITEM, 1, 0.5)
    assert found({7: 1.0}, 7, own=False) == (NOTHING_TO_SAY, -1, 0.0)


def test_a_category_whose_items_outweigh_all_others_but_not_one_by_one() -> None:
    codes = [0, 0, 1, 0, -1, 1, 0, 0, 0]
    assert found({1: 0.5, 2: 0.6, 3: 0.4}, 7, codes=codes) == (CATEGORY, 1, 0.6)
    # Half is not more than the rest; one of it added most; without a category; newer than all codes.
    assert found({1: 0.25, 2: 0.5, 3: 0.25}, 7, codes=codes) == (OTHER_ITEM, 2, 0.5)
    assert found({1: 0.75, 2: 0.6, 3: 0.4}, 7, codes=codes) == (OTHER_ITEM, 1, 0.75)
    assert found({1: 0.5, 2: 0.6, 3: 0.4}, 4, codes=codes) == (OTHER_ITEM, 2, 0.6)
    assert found({1: 0.5, 2: 0.6, 3: 0.4}, 7, codes=codes[:7]) == (OTHER_ITEM, 2, 0.6)
    # What the user did to the item itself says more, where it is as much as what any single item adds.
    assert found({1: 0.5, 2: 0.6, 3: 0.4, 7: 0.6}, 7, codes=codes) == (OWN, 7, 0.6)
    assert found({1: 0.5, 2: 0.6, 3: 0.4, 7: 0.55}, 7, codes=codes) == (CATEGORY, 1, 0.6)


def test_what_was_named_twice_gives_way_to_what_added_half_as_much_and_to_nothing_less() -> None:
    added = np.array([[1.0] * 8, [0.95] * 8, [0.5] * 8, [0.49] * 8])
    items, positions = np.array([1, 2, 3, 4], np.int32), np.arange(10, 18, dtype=np.int32)
    grounds = grounds_of(added, items, positions, np.array([0.0, 9, 1, 5, 9]), NO_CODES, own=True)
    assert grounds.items.tolist() == [1, 1, 2, 2, 3, 3, 1, 1]
    grounds = grounds_of(added[[0, 3]], items[[0, 3]], positions, np.zeros(5), NO_CODES, own=True)
    assert grounds.items.tolist() == [1] * 8


@given(st.integers(0, 2**32 - 1))
def test_by_the_rule_as_it_is_written(seed: int) -> None:
    rng = np.random.default_rng(seed)
    items = np.sort(rng.permutation(30)[: rng.integers(0, 12)]).astype(np.int32)
    positions = rng.permutation(30)[:8].astype(np.int32)
    added = rng.choice([0, -0.5, 0.5, 0.9, 0.95, 0.96, 1.0], (len(items), 8))
    users = rng.integers(0, 4, 30).astype(np.float64)
    grounds, times = grounds_of(added, items, positions, users, NO_CODES, own=True), Counter[int]()
    for place, position in enumerate(positions.tolist()):
        by_item = dict(zip(items.tolist(), added[:, place].tolist(), strict=True))
        alone = grounds_of(added[:, [place]], items, positions[[place]], users, NO_CODES, own=True)
        assert alone.items.item() in may_be_named(by_item, position, users.tolist())
        # In a list: what would be named alone, or once that was named twice, what was named fewest rounds before.
        assert (grounds.kinds[place], grounds.largest[place]) == (alone.kinds.item(), alone.largest.item())
        item = int(grounds.items[place])
        if grounds.kinds[place] == OTHER_ITEM:
            worth = [i for i, gain in by_item.items() if i != position and gain >= 0.5 * grounds.largest[place]]
            rounds = {i: times[i] // NAMED_IN_A_ROW for i in worth}
            if times[alone.items.item()] < NAMED_IN_A_ROW:
                assert item == alone.items.item()
            else:
                fewest = [i for i in worth if rounds[i] == min(rounds.values())]
                assert by_item[item] == max(by_item[i] for i in fewest)
                assert item in fewest
            times[item] += 1


def test_nothing_is_read_beyond_the_items_that_are_counted() -> None:
    # Not compiled, as compiled code does not check where it reads.
    python = module._best_known.py_func  # type: ignore[attr-defined]
    added, items = np.array([[1.0], [1.0]]), np.array([1, 8], np.int32)
    assert python(added, 0, items, 5, np.array([0.0, 0.0]), 0.9) == 1
    assert module._code_at.py_func(np.array([4], np.int32), 1) == -1  # type: ignore[attr-defined]
