"""Reading recipes: what a good one says, and how a bad one is refused."""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from homefeed import apps
from homefeed.errors import RecipeError
from homefeed.recipe import Column, Recipe, load_recipe, parse_recipe
from homefeed.retrieve.popular import Popular

GOOD = """
app = "demo"

[items]
title = "name"
fields = { name = "text", genre = "tags" }

[events.play]
full = "typical"
max_value = 100

[events.like]
weight = 2

[sources.items.columns]
name = "label"
price = { column = "cents", multiply = 0.01 }

[models.item_item]

[feeds.home]
cold_start = "top"
filter.consumption_limit = { share = 0.25 }
retrieve.item_item = { k = 50 }
retrieve.filler = { part = "popular", events_weight = 0.5 }
rank.weighted = { weights = { item_item = 1, filler = 0.1 } }

[feeds.top]
title = "Best of all"
retrieve.popular = {}
rank.weighted.weights.popular = 1
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demo.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def changed(file: Path, old: str, new: str) -> str:
    """How the good recipe is refused once `old` in it is `new`; each line without the name of the file."""
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines), "every line names the file"
    return "\n".join(line.removeprefix(f"{file}: ") for line in lines)


def overlaid(file: Path, text: str) -> Recipe:
    overlay = file.with_name("overlay.toml")
    overlay.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_recipe(file, overlay)


def test_a_good_recipe_says_all_it_declares(file: Path) -> None:
    recipe = load_recipe(file)
    assert (recipe.app, recipe.title, recipe.items.title) == ("demo", "Demo", "name")
    assert recipe.event_types == ("play", "like")
    assert (recipe.events["play"].full, recipe.events["play"].max_value, recipe.events["like"].weight) == (
        "typical",
        100,
        2,
    )
    assert not recipe.accepts_unknown_events
    assert recipe.sources.items.column("name") == Column(column="label")
    assert recipe.sources.items.column("price") == Column(column="cents", multiply=0.01)
    assert recipe.sources.items.column("genre") == Column(column="genre")
    assert [spec.name for spec in recipe.models] == ["item_item"]
    home, top = recipe.feeds["home"], recipe.feeds["top"]
    assert (home.settings.title, home.settings.cold_start) == ("Home", "top")
    assert (top.settings.title, top.settings.cold_start) == ("Best of all", None)
    assert [(spec.name, spec.part, spec.k) for spec in home.retrieve] == [
        ("item_item", "item_item", 50),
        ("filler", "popular", 200),
    ]
    assert home.retrieve[1].config == Popular.Config(events_weight=0.5)
    assert (home.rank.name, [spec.name for spec in home.filter]) == (
        "weighted",
        ["blocked", "seen", "consumption_limit"],
    )


def test_every_recipe_that_ships_is_good() -> None:
    recipes = sorted(Path(str(apps.__file__)).parent.glob("*/recipe.toml"))
    assert recipes
    for path in recipes:
        assert load_recipe(path).app == path.parent.name


def test_a_byte_order_mark_does_no_harm(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8-sig")
    assert load_recipe(file).app == "demo"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        # An unknown key.
        ('app = "demo"', 'app = "demo"\ncolour = 1', "colour: no such key here; remove it or check its spelling"),
        ("max_value", "max_valeu", "events.play.max_valeu: no such key here; remove it or check its spelling"),
        ("cents", 'x", colum = "cents', "sources.items.columns.price.colum: no such key here"),
        ("share", "shore", "feeds.home.filter.consumption_limit.shore: no such key here"),
        ("events_weight", "event_weight", "feeds.home.retrieve.filler.event_weight: no such key here"),
        # A missing key.
        ('app = "demo"', "", "app: missing; this key is required"),
        ("rank.weighted.weights.popular = 1", "", "feeds.top.rank: missing; this key is required"),
        ("rank.weighted.weights.popular = 1", "rank.weighted = {}", "feeds.top.rank.weighted.weights: missing"),
        # A wrong value.
        ('app = "demo"', "app = 3", "app: input should be a valid string, got 3"),
        (
            'app = "demo"',
            'app = "De mo"',
            "app: string should match pattern '^[a-z][a-z0-9_]{0,62}$', got 'De mo'",
        ),
        ("max_value = 100", 'max_value = "much"', "events.play.max_value: input should be a valid number"),
        ("[events.like]", '[events."I like"]', "events.I like: string should match pattern"),
        (
            'genre = "tags"',
            'genre = "tag"',
            "items.fields.genre: input should be 'text', 'category', 'tags', 'number'",
        ),
        ("{ k = 50 }", "{ k = 0 }", "feeds.home.retrieve.item_item.k: input should be greater than or equal to 1"),
        ("{ k = 50 }", "50", "feeds.home.retrieve.item_item: input should be a table, got 50"),
        (
            "{ share = 0.25 }",
            "{ share = -1 }",
            "filter.consumption_limit.share: input should be greater than 0, got -1",
        ),
        (
            "weights.popular = 1",
            'weights.popular = "a lot"',
            "rank.weighted.weights.popular: input should be a valid",
        ),
        # A contradiction.
        (
            'name = "text"',
            'name = "category"',
            'items: title names "name", which is not declared in fields as "text"',
        ),
        (
            'title = "name"',
            'title = "name"\nuntitled = "one of {genre}"',
            'items: untitled names "genre", which is not declared in fields as "category"',
        ),
        ('title = "name"', 'title = "name"\nuntitled = "one of {"', 'items: untitled = "one of {": '),
        (
            'cold_start = "top"',
            'cold_start = "tip"',
            'feeds.home.cold_start names "tip"; the feeds are: home, top',
        ),
        ('column = "cents",', 'column = "cents", value = "1",', "price: input should be a valid string"),
        ('column = "cents",', "", "expected exactly one of `column`, `columns` and `value`"),
        (
            "rank.weighted.weights.popular = 1",
            "rank = {}",
            "feeds.top.rank: dictionary should have at least 1 item",
        ),
        ("retrieve.popular = {}", "retrieve = {}", "feeds.top.retrieve: dictionary should have at least 1 item"),
        # An unknown part.
        (
            "retrieve.popular",
            "retrieve.popula",
            'feeds.top.retrieve.popula: no part "popula" to retrieve: expected',
        ),
        ("retrieve.popular", "retrieve.popula", '; did you mean "popular"?'),
        ('part = "popular"', 'part = "poplar"', 'feeds.home.retrieve.filler: no part "poplar" to retrieve'),
        (
            "[models.item_item]",
            "[models.itm_item]",
            'models.itm_item: no part "itm_item" to model: expected one of',
        ),
        ("[models.item_item]", "[models.itm_item]", 'did you mean "item_item"?'),
        (
            "filter.consumption_limit",
            "rerank.consumption_limit",
            'part "consumption_limit" cannot rerank: it has no method rerank()',
        ),
    ],
)
def test_a_fault_is_told_with_its_key_and_what_was_expected(file: Path, old: str, new: str, text: str) -> None:
    assert text in changed(file, old, new)


def test_of_a_value_that_may_be_two_things_both_are_told(file: Path) -> None:
    assert changed(file, '"typical"', "-1") == (
        "events.play.full: input should be 'typical', got -1; or input should be greater than 0, got -1"
    )


def test_several_faults_are_told_at_once_a_line_each(file: Path) -> None:
    lines = changed(file, 'app = "demo"', "app = 3\ncolour = 1").splitlines()
    assert [line.split(":")[0] for line in lines] == ["app", "colour"]


def test_bad_toml_is_told_with_its_line(file: Path) -> None:
    assert changed(file, "[events.play]", "[events.play").startswith("not valid TOML: ")
    assert "line 8" in changed(file, "[events.play]", "[events.play")


def test_what_is_not_text_is_told(file: Path) -> None:
    file.write_bytes(b"app = '\xff'")
    with pytest.raises(RecipeError, match=r"demo\.toml: not valid TOML"):
        load_recipe(file)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, file: Path) -> None:
    with pytest.raises(RecipeError, match=r"nowhere\.toml: no such file; expected a recipe in TOML"):
        load_recipe(tmp_path / "nowhere.toml")
    with pytest.raises(RecipeError, match=r"overlay\.toml: no such file"):
        load_recipe(file, tmp_path / "overlay.toml")
    with pytest.raises(RecipeError, match="cannot be read: Is a directory"):
        load_recipe(tmp_path)


def test_an_overlay_replaces_key_by_key(file: Path) -> None:
    recipe = overlaid(
        file,
        """
        title = "Mine"
        [events.play]
        full = 60
        [events.skip]
        weight = -1
        [feeds.home.retrieve.item_item]
        k = 70
        """,
    )
    assert recipe.title == "Mine"
    assert (recipe.events["play"].full, recipe.events["play"].max_value) == (60, 100)
    assert recipe.event_types == ("play", "like", "skip")
    assert [(spec.name, spec.k) for spec in recipe.feeds["home"].retrieve] == [("item_item", 70), ("filler", 200)]
    assert load_recipe(file).title == "Demo"


def test_a_fault_with_an_overlay_names_both_files(file: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        overlaid(file, "[events.play]\nfull = -1")
    assert str(caught.value).startswith(f"{file} with {file.with_name('overlay.toml')}: events.play.full: ")


def test_a_fault_in_an_overlay_itself_names_it(file: Path) -> None:
    with pytest.raises(RecipeError, match=r"overlay\.toml: not valid TOML"):
        overlaid(file, "[events")


def test_a_table_can_be_parsed_without_a_file() -> None:
    with pytest.raises(RecipeError, match=r"^the test: feeds: missing; this key is required$"):
        parse_recipe(
            {"app": "demo", "items": {"fields": {"title": "text"}}, "events": {"play": {}}}, origin="the test"
        )


def test_what_a_part_is_set_to_everywhere_holds_unless_a_feed_says_otherwise() -> None:
    feeds = {
        "plain": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1}}}},
        "other": {"retrieve": {"popular": {"reason": "Here"}}, "rank": {"weighted": {"weights": {"popular": 1}}}},
    }
    parts = {"retrieve": {"popular": {"reason": "Everywhere"}}}
    recipe = parse_recipe({**tomllib.loads(GOOD), "parts": parts, "feeds": feeds}, "r")
    said = {name: feed.retrieve[0].config.model_dump()["reason"] for name, feed in recipe.feeds.items()}
    assert said == {"plain": "Everywhere", "other": "Here"}


def test_setting_a_part_that_is_not_there_names_the_key() -> None:
    with pytest.raises(RecipeError, match=r'r: parts\.retrieve\.populr: no part "populr".*did you mean "popular"'):
        parse_recipe({**tomllib.loads(GOOD), "parts": {"retrieve": {"populr": {}}}}, "r")
    with pytest.raises(
        RecipeError, match=r"r: parts\.retrieve\.popular\.raeson: no such key here; expected some of"
    ):
        parse_recipe({**tomllib.loads(GOOD), "parts": {"retrieve": {"popular": {"raeson": ""}}}}, "r")


def with_retrievers(**uses: dict[str, Any]) -> Recipe:
    feed = {"retrieve": uses, "rank": {"weighted": {"weights": {next(iter(uses)): 1}}}}
    return parse_recipe({**tomllib.loads(GOOD), "feeds": {"home": feed}}, "r")


def test_a_retriever_can_stand_in_for_one_before_it() -> None:
    specs = with_retrievers(fresh={}, popular={"instead_of": "fresh"}).feeds["home"].retrieve
    assert [(spec.name, spec.instead_of) for spec in specs] == [("fresh", None), ("popular", "fresh")]


@pytest.mark.parametrize("named", ["popular", "trending", "nothing"])
def test_one_that_does_not_stand_before_it_is_named(named: str) -> None:
    with pytest.raises(RecipeError) as caught:
        with_retrievers(fresh={}, popular={"instead_of": named}, trending={})
    assert str(caught.value) == (
        f'r: feeds.home.retrieve: popular.instead_of names "{named}"; before it there are: fresh'
    )
