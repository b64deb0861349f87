import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from tests.samples.shop.shop_files import Sample, read

from homefeed.samples.shop.complements import KINDS, pairs, slots
from homefeed.samples.shop.generate import DEFAULTS, generate, plan_world
from homefeed.samples.shop.sellers import ADJECTIVES, BRANDS, PALETTES
from homefeed.samples.shop.stock import KIND_SHELF
from homefeed.samples.shop.wares import MAINS, SHELVES


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("shop")
    generate(folder)
    return read(folder)


def test_products_are_those_of_the_contract(sample: Sample) -> None:
    products = sample.products
    assert products.height == 2_000
    assert products["id"].is_unique().all()
    assert products["id"].str.contains(r"^[A-Z0-9]{10}$").all()
    assert {column for column in products.columns if products[column].null_count()} == {"ratings", "no_of_ratings"}
    assert products["link"].str.contains(r"^https://shop\.example/[a-z0-9-]+/dp/[A-Z0-9]{10}$").all()
    assert products["link"].str.ends_with(products["id"].to_list()[0]).sum() == 1
    assert products["image"].str.contains(r"^https://images\.shop\.example/[A-Z0-9]{10}\.jpg$").all()
    assert products["main_category"].n_unique() >= 12
    assert products["sub_category"].n_unique() >= 60
    assert products.group_by("sub_category").agg(pl.col("main_category").n_unique())["main_category"].max() == 1


def test_prices_are_those_of_their_kind_and_discounts_follow_from_them(sample: Sample) -> None:
    price, full, ratio = (sample.products[name] for name in ("discount_price", "actual_price", "discount_ratio"))
    assert (price > 0).all()
    assert (price <= full).all()
    assert np.allclose(ratio, 1 - price / full, atol=5.1e-5)
    assert 0.2 < (ratio == 0).mean() < 0.4  # type: ignore[operator]
    assert 0.5 < ratio.max() < 1  # type: ignore[operator]
    spread = np.log(sample.of.unique("product_id").group_by("sub_category").agg(pl.median("discount_price"))[:, 1])
    assert spread.std() > 0.8  # sub-categories differ
    tags = (price * 100).round().cast(pl.Int64) % 100
    assert set(tags) == {49, 99}


def test_ratings_are_few_for_most_and_some_are_missing(sample: Sample) -> None:
    rating, reviews = sample.products["ratings"], sample.products["no_of_ratings"]
    assert rating.is_null().equals(reviews.is_null())
    assert 0.03 < rating.is_null().mean() < 0.15  # type: ignore[operator]
    assert rating.drop_nulls().is_between(1, 5).all()
    assert 3.8 < rating.mean() < 4.3  # type: ignore[operator]
    assert reviews.min() == 1
    assert reviews.mean() > 4 * reviews.median()  # type: ignore[operator]
    few = sample.products.filter(pl.col("no_of_ratings") < 5)["ratings"].std()
    assert few > 1.3 * sample.products.filter(pl.col("no_of_ratings") > 100)["ratings"].std()  # type: ignore[operator]


def test_only_the_planted_copies_have_the_same_name(sample: Sample) -> None:
    true = sample.products.join(sample.true_products, on="id")
    copies = true.filter(pl.col("duplicate_of").is_not_null())
    assert copies.height == 10
    both = copies.join(true, left_on="duplicate_of", right_on="id", suffix="_first")
    assert (both["name"] == both["name_first"]).all()
    assert (both["product_type"] == both["product_type_first"]).all()
    assert both["duplicate_of_first"].is_null().all()
    assert true.filter(pl.col("duplicate_of").is_null())["name"].is_unique().all()


def test_names_stay_unique_in_a_large_catalogue() -> None:
    stock = plan_world(replace(DEFAULTS, users=1, items=30_000, days=30, seed=3)).stock
    assert len(set(stock.id)) == 30_000
    assert len(set(stock.name)) == 30_000 - 150
    assert not any(len(parts) > len(set(parts)) for parts in (re.split(", | - ", name) for name in stock.name))
    assert sum("Model" in name for name in stock.name) < 300


def test_names_read_like_those_of_a_shop(sample: Sample) -> None:
    names = sample.products["name"]
    assert names.str.split(" ").list.len().is_between(3, 20).all()
    assert not names.str.contains(r"  |,,|, \(|\(\)|, $|- ,|[|{}]|^[a-z]| [a-z]+ [a-z]+ [a-z]").any()
    audience = sample.products["sub_category"].str.extract(r"^(Men's|Women's|Kids') ")
    stated = sample.products.filter(audience.is_not_null())
    assert stated.height > 100
    assert (stated["name"].str.extract(r"(Men's|Women's|Kids') ") == audience.drop_nulls()).all()


@pytest.mark.parametrize(
    ("kind", "names_of_kind"),
    [
        ("wireless earbuds", ("Earbuds", "Earphones", "Headphones")),
        ("sofa", ("Sofa", "Couch", "Settee")),
        ("men's trousers", ("Trousers", "Pants", "Chinos")),
        ("men's trainers", ("Trainers", "Sneakers", "Casual Shoes")),
        ("fridge", ("Fridge", "Refrigerator")),
        ("smartphone", ("Smartphone", "Mobile Phone", "Cell Phone")),
    ],
)
def test_sellers_call_the_same_thing_by_different_names(kind: str, names_of_kind: tuple[str, ...]) -> None:
    stock = plan_world(replace(DEFAULTS, users=1, items=12_000, days=30, seed=1)).stock
    names = [name for name, code in zip(stock.name, stock.kind, strict=True) if KINDS[code] == kind]
    share = [sum(f" {word}" in name for name in names) / len(names) for word in names_of_kind]
    assert len(names) > 5
    assert min(share) > 0
    assert sum(share) >= 1


@pytest.mark.parametrize(
    "chain",
    [
        ("smartphone", "phone case", "phone charger"),
        ("badminton racket", "shuttlecocks"),
        ("coffee machine", "coffee beans", "coffee mugs"),
        ("inkjet printer", "ink cartridge"),
        ("bed frame", "bed linen"),
    ],
)
def test_what_goes_together_is_planted(chain: tuple[str, ...]) -> None:
    code = {kind: number for number, kind in enumerate(KINDS)}
    for one, other in combinations(chain, 2):
        assert pairs()[code[one], code[other]] > pairs()[code[other], code[one]] - 0.3
        assert code[other] in slots()[0][code[one]]


def test_the_truth_lists_the_complements(sample: Sample) -> None:
    listed = sample.complements
    assert listed.height == len(pairs())
    assert set(listed["product_type"]) | set(listed["complement"]) <= set(KINDS)
    assert listed.filter(pl.col("strength") == 1).height >= 150
    between = listed.filter(pl.col("sub_category") != pl.col("complement_sub_category"))
    assert between.select("sub_category", "complement_sub_category").unique().height >= 40
    assert (listed["product_type"] != listed["complement"]).all()
    kind, planted = sample.kind, set(listed.select("product_type", "complement").iter_rows())
    for product, fits in sample.true_products.select("id", "fits").drop_nulls().iter_rows():
        assert all((kind[product], kind[other]) in planted for other in fits.split("|"))


def test_every_slot_holds_the_strongest_complements() -> None:
    codes, strengths = slots()
    assert codes.shape == strengths.shape == (len(KINDS), 6)
    for kind in range(len(KINDS)):
        of_kind = sorted((strength for (one, _), strength in pairs().items() if one == kind), reverse=True)[:6]
        assert strengths[kind, : len(of_kind)].tolist() == pytest.approx(of_kind)
        assert (codes[kind, len(of_kind) :] == -1).all()


def test_every_shelf_has_words_of_its_own() -> None:
    assert set(MAINS) == set(BRANDS) == set(ADJECTIVES)
    assert len(KINDS) == len(set(KINDS)) == len(KIND_SHELF) > 350
    assert len({shelf.name for shelf in SHELVES}) == len(SHELVES)
    for shelf in SHELVES:
        for kind in shelf.kinds:
            assert len(kind.names) >= 2, kind
            assert all(len(name.split()) <= 3 and name == name.lower() for name in kind.names), kind
            assert kind.price > 0
            assert len(kind.details) >= 3, kind
            assert kind.palette in PALETTES, kind
