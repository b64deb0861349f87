import re
from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from tests.samples.shop.shop_files import DAY, LAST, Sample, read

from homefeed.samples.shop.complements import KINDS
from homefeed.samples.shop.generate import DEFAULTS, World, generate, plan_world
from homefeed.samples.shop.queries import misspell, write_queries
from homefeed.samples.shop.sellers import BRANDS, PALETTES
from homefeed.samples.shop.trips import CLICK, PURCHASE, SEARCH, Shop
from homefeed.samples.shop.wares import SHELVES


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("shop")
    generate(folder)
    return read(folder)


@pytest.fixture(scope="module")
def world() -> World:
    return plan_world(DEFAULTS)


def test_popularity_has_a_long_tail(sample: Sample) -> None:
    counts = np.sort(sample.events["product_id"].drop_nulls().value_counts()["count"].to_numpy())[::-1]
    assert counts[:200].sum() > 0.35 * counts.sum()
    assert counts[0] < 0.05 * counts.sum()
    assert 0.8 < len(counts) / 2_000 < 1
    appeal = dict(sample.true_products.select("id", "appeal").iter_rows())
    best_first = sorted(appeal, key=lambda product: -appeal[product])
    events = Counter(sample.events["product_id"].drop_nulls())
    assert sum(map(events.__getitem__, best_first[:200])) > 3 * sum(map(events.__getitem__, best_first[-200:]))


def test_some_products_rise_in_the_last_days(sample: Sample) -> None:
    of = sample.of
    assert sample.true_products["rising"].sum() == 20
    shares = [of.filter(pl.col("time").is_between(LAST - last * DAY, LAST - until * DAY))["rising"].mean()
              for last, until in ((90, 7), (7, 0), (2, 0))]  # fmt: skip
    assert shares[0] < 0.015  # type: ignore[operator]
    assert shares[1] > 4 * shares[0]  # type: ignore[operator]
    assert shares[2] > shares[1]  # type: ignore[operator]


def test_some_users_are_stale_and_some_have_one_event_or_none(sample: Sample) -> None:
    seen = sample.events.group_by("user_id").agg(pl.col("time").max(), pl.len())
    roles = sample.true_users.join(seen, on="user_id", how="left").with_columns(pl.col("len").fill_null(0))
    counts = dict(roles["role"].value_counts().iter_rows())
    assert counts == {"active": 480, "stale": 72, "single": 30, "silent": 18}
    assert (roles.filter(pl.col("role") == "single")["len"] == 1).all()
    assert (roles.filter(pl.col("role") == "silent")["len"] == 0).all()
    stale = roles.filter((pl.col("role") == "stale") & (pl.col("len") > 0))
    assert stale.height > 60
    assert stale["time"].max() < LAST - 30 * DAY  # type: ignore[operator]
    active = roles.filter(pl.col("role") == "active")
    assert (active["time"] >= LAST - 30 * DAY).mean() > 0.8  # type: ignore[operator]
    assert active["len"].mean() > 1.2 * active["len"].median()  # type: ignore[operator]


def test_tastes_show_in_what_is_clicked(sample: Sample) -> None:
    clicks = sample.of.filter(pl.col("event_type") == "product_click").join(sample.true_users, on="user_id")
    tastes = {text: set(re.findall(r"([^|:]+):", text)) for text in sample.true_users["tastes"]}
    assert {len(shelves) for shelves in tastes.values()} == {2, 3, 4, 5}
    pairs_of = (
        clicks.select("tastes", "sub_category"),
        clicks.select(pl.col("tastes").shuffle(1), "sub_category"),
    )
    liked, by_chance = (np.mean([shelf in tastes[text] for text, shelf in one.iter_rows()]) for one in pairs_of)
    assert liked > 0.6
    assert liked > 5 * by_chance
    for text in sample.true_users["tastes"]:
        assert sum(map(float, re.findall(r":([\d.]+)", text))) == pytest.approx(1, abs=1e-6)


def test_price_levels_and_favourite_brands_show_in_what_is_clicked(sample: Sample) -> None:
    clicks = sample.of.filter(pl.col("event_type") == "product_click")
    clicks = clicks.join(sample.true_users, on="user_id", suffix="_user")
    by_user = clicks.group_by("user_id").agg(pl.mean("price_level"), pl.first("price_level_user"), pl.len())
    by_user = by_user.filter(pl.col("len") > 20)
    assert by_user.select(pl.corr("price_level", "price_level_user")).item() > 0.6
    hits, chances = [], []
    for name, main, brands in clicks.select("name", "main_category", "brands").drop_nulls().iter_rows():
        favourites = set(brands.split("|")) & set(BRANDS[main])
        if favourites:
            hits.append(name.startswith(tuple(favourites)))
            chances.append(len(favourites) / len(BRANDS[main]))
    assert np.mean(hits) > 2 * np.mean(chances)


def test_a_basket_shares_one_time_and_ends_the_trip(world: World) -> None:
    shop, rng = Shop(world.stock, world.people, world.rhythm), np.random.default_rng(3)
    actions = shop.visit(shop.visitors(3_000, rng), rng)
    bought = actions.action == PURCHASE
    baskets = np.unique(actions.trip[bought])
    assert (
        len(np.unique(np.column_stack((actions.trip[bought], actions.time[bought])), axis=0)) == len(baskets) > 400
    )
    of_trip = np.full(actions.trip.max() + 1, LAST)
    of_trip[actions.trip[bought]] = actions.time[bought]
    assert (actions.time[~bought] <= of_trip[actions.trip[~bought]]).all()
    same_trip = np.diff(actions.trip) == 0
    assert (np.diff(actions.trip) >= 0).all()
    assert (np.diff(actions.time)[same_trip] >= 0).all()
    assert np.array_equal(np.diff(actions.time)[same_trip] == 0, (bought[1:] & bought[:-1])[same_trip])
    is_click = actions.action == CLICK
    clicked = set(zip(actions.trip[is_click], actions.item[is_click], strict=True))
    in_basket = [
        (trip, item) in clicked for trip, item in zip(actions.trip[bought], actions.item[bought], strict=True)
    ]
    assert 0.5 < np.mean(in_basket) < 0.95


def test_baskets_hold_complements_far_more_often_than_chance(sample: Sample) -> None:
    planted, kind = set(sample.complements.select("product_type", "complement").iter_rows()), sample.kind
    baskets = sample.baskets
    assert len(baskets) > 1_500
    assert all(len(set(basket)) == len(basket) for basket in baskets)
    assert np.mean([len(basket) > 1 for basket in baskets]) > 0.3
    together = [pair for basket in baskets for pair in combinations(basket, 2)]
    mixed = np.random.default_rng(0).permutation(np.concatenate(baskets)).tolist()
    by_chance = list(zip(mixed[::2], mixed[1::2], strict=False))
    shares = [np.mean([(kind[a], kind[b]) in planted for a, b in some]) for some in (together, by_chance)]
    assert shares[0] > 0.6
    assert shares[0] > 20 * shares[1]
    products = Counter(frozenset(pair) for pair in together)
    assert sum(count >= 3 for count in products.values()) > 100  # what fits makes rules of products, too


def test_a_search_is_for_a_product_though_nobody_is_told(world: World) -> None:
    shop, rng = Shop(world.stock, world.people, world.rhythm), np.random.default_rng(3)
    actions = shop.visit(shop.visitors(200, rng), rng)
    assert (actions.item >= 0).all()
    searched = np.flatnonzero(
        (actions.action[:-1] == SEARCH) & (actions.action[1:] == CLICK) & (np.diff(actions.trip) == 0)
    )
    assert np.mean(actions.item[searched] == actions.item[searched + 1]) > 0.9


def test_searches_lead_to_matching_clicks(sample: Sample) -> None:
    """The first click after a search is on what was searched for; by chance it would hardly ever be."""
    wanted: dict[str, set[str]] = {}
    kind_of = sample.kind
    for query, kind in sample.queries.select("query", "product_type").iter_rows():
        wanted.setdefault(query, set()).add(kind)
    steps = sample.events.sort("user_id", "time", maintain_order=True).with_columns(
        next=pl.col("product_id").shift(-1).over("user_id"), after=pl.col("time").diff().shift(-1).over("user_id")
    )
    steps = steps.filter(pl.col("query").is_not_null() & pl.col("next").is_not_null() & (pl.col("after") < 600))
    assert steps.height > 7_000
    matches = [kind_of[item] in wanted[query] for query, item in steps.select("query", "next").iter_rows()]
    assert np.mean(matches) > 0.95
    by_chance = [
        kind_of[item] in wanted[query]
        for query, item in zip(steps["query"], steps["next"].shuffle(1), strict=True)
    ]
    assert np.mean(by_chance) < 0.05
    clicked = steps.join(sample.products, left_on="next", right_on="id").select("query", "name")
    words = [(set(query.split()), set(re.findall(r"\w+", name.lower()))) for query, name in clicked.iter_rows()]
    assert 0.5 < np.mean([bool(typed & named) for typed, named in words]) < 0.95  # synonyms share no word


def test_queries_read_as_people_type_them(sample: Sample) -> None:
    queries = sample.events["query"].drop_nulls()
    words = queries.str.split(" ").list.len()
    assert set(words) == {1, 2, 3, 4}
    assert queries.str.contains(r"^[a-z0-9&'. -]+$").all()
    assert not queries.str.contains(r"^ |  | $").any()
    assert queries.str.len_chars().is_between(1, 255).all()
    assert sample.queries["searches"].sum() == len(queries)
    assert {"mens", "men", "womens", "women", "kids"} <= set(queries.str.split(" ").explode())


def test_about_four_in_a_hundred_queries_are_misspelt(world: World) -> None:
    item = np.arange(2_000, dtype=np.int32).repeat(5)
    queries = write_queries(world.stock, item, np.random.default_rng(5))
    names = [*world.stock.name, *(name for shelf in SHELVES for kind in shelf.kinds for name in kind.names)]
    details = [detail for shelf in SHELVES for kind in shelf.kinds for detail in kind.details]
    looks = [look for palette in PALETTES.values() for look in palette]
    vocabulary = " ".join([*names, *details, *looks, *sum(BRANDS.values(), ()), "mens men womens women kids"])
    known = set(re.findall(r"[\w&'.-]+", vocabulary.lower()))
    wrong = [query for query in queries if not {word for word in query.split() if word.isalpha()} <= known]
    assert 0.02 < len(wrong) / len(queries) < 0.05


@pytest.mark.parametrize(
    ("rolls", "query"),
    [
        ((0.0, 0.0, 0.0), "wreless case"),
        ((0.0, 0.0, 0.3), "wiireless case"),
        ((0.0, 0.0, 0.6), "woreless case"),
        ((0.0, 0.0, 0.9), "wrieless case"),
        ((0.99, 0.99, 0.99), "wireleds case"),
    ],
)
def test_a_longer_word_is_misspelt(rolls: tuple[float, float, float], query: str) -> None:
    assert misspell("wireless case", *rolls) == query
    assert misspell("red mug", *rolls) == "red mug"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("sofa", {"sofa", "couch", "settee"}),
        ("fridge", {"fridge", "refrigerator"}),
        ("men's trousers", {"trousers", "pants", "chinos"}),
        ("wireless earbuds", {"earbuds", "earphones", "headphones"}),
    ],
)
def test_the_same_thing_is_sought_by_different_names(world: World, kind: str, names: set[str]) -> None:
    item = np.flatnonzero(world.stock.kind == KINDS.index(kind))[:1].astype(np.int32).repeat(300)
    words = Counter(
        word for query in write_queries(world.stock, item, np.random.default_rng(1)) for word in query.split()
    )
    assert min(words[word] for word in names) > 0.6 * 300 / len(names)
