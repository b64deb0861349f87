"""Variants: one of a product, by its parent or by what its title says besides size, colour and number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.in_order import candidates

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.variants import Variants
from homefeed.protocols import Refreshable, Reranker
from homefeed.recipe import FeedRecipe, parse_recipe
from homefeed.testing import RerankerContract, World, make_world, toy_item, toy_world
from homefeed.testing.reranker import check_reranked
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain
from homefeed.types import Dropped, Item

SHOWN = "a variant of an item shown before, excluded or asked about"
FIELDS = {**RECIPE["items"]["fields"], "parent_id": "category"}
DECLARED: dict[str, Any] = {**RECIPE, "items": {"fields": FIELDS}}
POPULAR: dict[str, Any] = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
GROUPED: dict[str, Any] = {
    "app": "shoes",
    "items": {"fields": {"title": "text", "parent_id": "category", "line": "category"}, "group": "parent_id"},
    "events": RECIPE["events"],
    "feeds": {
        "home": {**POPULAR, "rerank": {"caps": {"field": "line"}}},
        "all": {**POPULAR, "rerank": {"variants": False}},
        "last": {**POPULAR, "rerank": {"caps": {"field": "line"}, "variants": {"titles": True, "drop": False}}},
    },
}


class TestVariants(RerankerContract):
    def make(self, world: World) -> Reranker:
        return Variants(Variants.Config(group="content_type"), world.resources)


class TestVariantsByTitle(RerankerContract):
    def make(self, world: World) -> Reranker:
        return Variants(Variants.Config(titles=True), world.resources)


class TestVariantsKept(RerankerContract):
    def make(self, world: World) -> Reranker:
        return Variants(Variants.Config(group="content_type", titles=True, drop=False), world.resources)


def item(position: int, title: str | None = None, parent: str | None = None) -> Item:
    return toy_item(position, f"i{position}", 1, title=title, parent_id=parent)


def world_of(*items: tuple[str | None, str | None]) -> World:
    """A world of items i0, i1, ... of those titles and parents."""
    return make_world([item(n, *each) for n, each in enumerate(items)], (), declared=DECLARED)


def variants(world: World, **settings: Any) -> Variants:
    return Variants(Variants.Config(**{"group": "parent_id", "titles": True} | settings), world.resources)


def left(
    part: Variants, world: World, *positions: int, anchor: str | None = None, exclude: tuple[str, ...] = ()
) -> list[int]:
    given = candidates(*positions)
    answer = part.rerank(world.query(anchor=anchor, exclude=exclude), given)
    check_reranked("variants", given, answer)
    kept: list[int] = answer.positions.tolist()
    return kept


SHOP = world_of(
    ("Aro Shirt, Red, S", "aro"),
    ("Aro Shirt, Blue, XL", "aro"),
    ("Aro Shirt 2 (Summer)", "aro"),
    ("Aro Shirt, Green", None),
    ("Aro Shirt (White, M)", None),
    ("Hat", "ARO"),
    ("Black", None),
    ("White", None),
    (None, None),
    (None, None),
    ("Phone 13, 64GB", None),
    ("Phone 14, 64GB", None),
    ("Phone 13, 128GB, Red", None),
)


def test_the_best_ranked_of_a_product_is_kept() -> None:
    part = variants(SHOP)
    assert left(part, SHOP, 1, 5, 0, 2) == [1, 5]
    assert left(part, SHOP, 2, 1, 0) == [2]


def test_ids_that_differ_in_letter_case_are_two() -> None:
    assert left(variants(SHOP), SHOP, 0, 5) == [0, 5]


def test_without_a_parent_titles_that_differ_in_size_colour_and_number_are_one() -> None:
    part = variants(SHOP)
    assert left(part, SHOP, 3, 4, 11, 12, 10) == [3, 11, 12]
    # The parent counts where there is one: another shirt of the same words is another product.
    assert left(part, SHOP, 0, 3) == [0, 3]


def test_what_says_nothing_else_stands_alone() -> None:
    assert left(variants(SHOP), SHOP, 6, 7, 8, 9) == [6, 7, 8, 9]


def test_without_titles_only_the_parent_counts() -> None:
    part = variants(SHOP, titles=False)
    assert left(part, SHOP, 3, 4, 10, 12, 0, 1) == [3, 4, 10, 12, 0]
    by_title = variants(SHOP, group=None)
    assert left(by_title, SHOP, 0, 1, 2, 3, 4) == [0, 2]


def test_none_is_kept_of_a_product_that_was_shown_or_asked_about() -> None:
    part = variants(SHOP)
    assert left(part, SHOP, 1, 2, 3, anchor="i0") == [3]
    assert left(part, SHOP, 4, 1, 12, exclude=("i3", "i10")) == [1]


def test_the_parent_may_be_an_item_of_its_own() -> None:
    world = world_of(("Shirt", None), ("Shirt, Red", "i0"), ("Shirt, Blue", "i0"), ("Shirt, Green", None))
    part = variants(world)
    assert left(part, world, 2, 0, 1, 3) == [2, 3]
    assert left(part, world, 1, 2, anchor="i0") == []


def test_an_item_becomes_a_parent_when_the_first_variant_names_it() -> None:
    world = world_of(("Shirt", None), ("Shirt, Green", None))
    part = variants(world)
    assert left(part, world, 0, 1) == [0]
    world.catalog.apply([item(2, "Sleeveless", "i0")])
    assert left(part, world, 0, 1, 2) == [0, 1]


def test_it_is_none_any_more_when_the_last_variant_leaves() -> None:
    world = world_of(("Shirt", None), ("Shirt, Green", None), ("Sleeveless", "i0"), ("Collar", "i0"))
    part = variants(world)
    assert left(part, world, 0, 1) == [0, 1]
    world.catalog.apply([item(2, "Sleeveless"), replace(item(3, "Collar", "i0"), deleted=True)])
    assert left(part, world, 0, 1) == [0] == left(variants(world, drop=True), world, 0, 1)


def test_a_variant_of_another_partition_makes_nothing_a_parent() -> None:
    fields = {**FIELDS, "community_id": "category"}
    declared = {
        **RECIPE,
        "items": {"fields": fields},
        "users": {"fields": {"community_id": "category"}},
        "isolation": {"item": "community_id", "user": "community_id"},
    }

    def of(position: int, title: str, community: str, parent: str | None = None) -> Item:
        return toy_item(position, f"i{position}", 1, title=title, parent_id=parent, community_id=community)

    world = make_world([of(0, "Shirt", "a"), of(1, "Shirt, Green", "a")], (), declared=declared)
    part = variants(world)
    world.catalog.apply([of(2, "Sleeveless", "b", "i0")])
    groups = part._groups.of_all()
    assert groups[0] == groups[1] != groups[2]
    world.catalog.apply([of(3, "Sleeveless", "a", "i0")])
    groups = part._groups.of_all()
    assert groups[0] == groups[3]
    assert len({*groups[[0, 1, 2]].tolist()}) == 3


def test_it_says_which_other_is_shown_instead() -> None:
    given = replace(candidates(1, 0, 3, 4), dropped=(Dropped("caps", np.array([5], np.int32), "too many"),))
    answer = variants(SHOP).rerank(SHOP.query(exclude=("i4",)), given)
    told = [
        (dropped.by, position, dropped.reason(position))
        for dropped in answer.dropped
        for position in dropped.positions.tolist()
    ]
    assert told == [
        ("caps", 5, "too many"),
        ("variants", 3, SHOWN),
        ("variants", 4, SHOWN),
        ("variants", 0, 'a variant of "Aro Shirt, Blue, XL", which ranks higher'),
    ]


def test_where_none_is_dropped_the_others_come_last() -> None:
    part = variants(SHOP, drop=False)
    assert left(part, SHOP, 1, 0, 6, 2, 7) == [1, 6, 7, 0, 2]


def test_nothing_changes_where_nothing_has_variants() -> None:
    given = candidates(6, 5, 1)
    assert variants(SHOP).rerank(SHOP.query(), given) is given


def test_it_takes_over_what_changed_by_itself_or_when_told() -> None:
    world = world_of(("Shirt, Red", None), ("Shirt, Blue", None), ("Hat", "cap"))
    part = variants(world)
    assert isinstance(part, Refreshable)
    world.catalog.apply([item(1, "Cap, Blue", "cap")])
    assert left(part, world, 0, 1, 2) == [0, 1]
    world.catalog.apply([item(1, "Shirt, Blue", None)])
    part.refresh()
    assert left(part, world, 0, 1, 2) == [0, 2]


def test_parts_of_the_same_keys_share_what_is_known() -> None:
    assert variants(SHOP)._groups is variants(SHOP, drop=False)._groups
    assert variants(SHOP)._groups is not variants(SHOP, titles=False)._groups


def test_it_needs_a_field_or_titles() -> None:
    with pytest.raises(ValueError, match=r"expected group, or items\.group of the recipe, or titles = true"):
        Variants.Config()
    with pytest.raises(RecipeError, match=r'items\.fields\.parent is not declared; expected "category"'):
        Variants(Variants.Config(group="parent"), toy_world().resources)
    with pytest.raises(RecipeError, match=r'items\.fields\.genre is declared as "tags"; expected "category"'):
        Variants(Variants.Config(group="genre"), toy_world().resources)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([None, "p", "q", "i0"])), max_size=20))
def test_no_two_of_a_product_are_left_whatever_changes(changes: list[tuple[int, str | None]]) -> None:
    world = world_of(*((f"Thing {n}", None) for n in range(6)))
    part, parents = variants(world, titles=False), dict.fromkeys(range(6))
    for position, parent in changes:
        world.catalog.apply([item(position, f"Thing {position}", parent)])
        parents[position] = parent
        product = {n: parents[n] or f"i{n}" for n in range(6)}
        kept = left(part, world, *range(6))
        assert kept == [n for n in range(6) if product[n] not in {product[other] for other in range(n)}]


def grouped(**tables: Any) -> dict[str, FeedRecipe]:
    return dict(parse_recipe({**GROUPED, **tables}, "r").feeds)


def rerankers(feed: FeedRecipe) -> dict[str, dict[str, Any]]:
    return {spec.name: spec.config.model_dump() for spec in feed.rerank}


def test_a_group_of_items_brings_it_into_every_feed_first() -> None:
    feeds = grouped()
    by_group = {"group": "parent_id", "titles": False, "drop": True}
    assert rerankers(feeds["home"])["variants"] == by_group
    assert list(rerankers(feeds["home"])) == ["variants", "caps"]
    assert rerankers(feeds["all"]) == {}


def test_a_feed_that_names_it_has_it_where_it_stands_by_the_same_group() -> None:
    last = rerankers(grouped()["last"])
    assert list(last) == ["caps", "variants"]
    assert last["variants"] == {"group": "parent_id", "titles": True, "drop": False}


def test_a_recipe_sets_it_for_all_feeds_or_leaves_it_out() -> None:
    feeds = grouped(parts={"rerank": {"variants": {"titles": True, "group": "line"}}})
    assert rerankers(feeds["home"])["variants"] == {"group": "line", "titles": True, "drop": True}
    feeds = grouped(parts={"rerank": {"variants": False}})
    assert list(rerankers(feeds["home"])) == ["caps"]
    assert list(rerankers(feeds["last"])) == ["caps", "variants"], "a feed that names it has it"


def test_without_a_group_it_is_in_no_feed_that_does_not_name_it() -> None:
    ungrouped = {"fields": GROUPED["items"]["fields"]}
    feeds = parse_recipe({**GROUPED, "items": ungrouped}, "r").feeds
    assert list(rerankers(feeds["home"])) == ["caps"]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (
            {"items": {**GROUPED["items"], "group": "title"}},
            'items: group names "title", which is not declared in fi',
        ),
        (
            {"items": {**GROUPED["items"], "group": "parent"}},
            'items: group names "parent", which is not declared in',
        ),
        (
            {"parts": {"rerank": {"caps": False}}},
            r"parts: rerank\.caps = false: only these can be left out: variants",
        ),
        ({"parts": {"rank": {"weighted": False}}}, r"parts: rank\.weighted = false: none can be left out"),
        (
            {"feeds": {"home": {**POPULAR, "rerank": {"caps": False}}}},
            r"feeds\.home\.rerank: rerank\.caps = false: only these can be left out: variants",
        ),
    ],
)
def test_what_cannot_be_declared_is_refused_by_its_key(tables: dict[str, Any], expected: str) -> None:
    with pytest.raises(RecipeError, match=expected):
        grouped(**tables)


def test_24_colours_and_sizes_of_a_shirt_take_one_place() -> None:
    shirts = [toy_item(n, f"shirt{n}", 1, title=f"Shirt {n}", parent_id="shirt") for n in range(24)]
    others = [toy_item(n, f"hat{n}", 1, title=f"Hat {n}") for n in range(24, 30)]
    world = make_world([*shirts, *others], (), declared=GROUPED)
    feeds = build_feeds(world.recipe, world.resources)
    page = world.ids(recommend(feeds["home"], world.query(n=20)).positions)
    assert sorted(item_id.rstrip("0123456789") for item_id in page) == ["hat"] * 6 + ["shirt"]
    assert len(recommend(feeds["all"], world.query(n=30)).positions) == 30
    kept = next(item_id for item_id in page if item_id.startswith("shirt"))
    gone = next(n for n in range(24) if f"shirt{n}" != kept)
    trace = explain(feeds["home"], world.query(n=20), world.position(f"shirt{gone}"))
    assert f'a variant of "Shirt {kept.removeprefix("shirt")}", which ranks higher' in trace.verdict
