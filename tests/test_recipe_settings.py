"""What settings say of recipes: in force wherever one is used, over the recipe, under a file named at hand."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from homefeed.apps import find_recipe, find_recipes
from homefeed.apps.streaming import Streaming
from homefeed.cli.common import recipe_of
from homefeed.cli.main import cli
from homefeed.errors import RecipeError, SettingsError
from homefeed.recipe import Recipe
from homefeed.server import create_app
from homefeed.settings import load_settings

BOOKS = """
app = "books"
[items.fields]
title = "text"
[events.read]
[feeds.popular]
title = "Most read"
retrieve.popular = { events_weight = 0.5 }
rank.weighted.weights.popular = 1
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The homefeed.toml of a working folder of the test's own, in which books.toml is; no setting is set."""
    for name in list(os.environ):
        if name.upper().startswith("HOMEFEED_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books.toml").write_text(BOOKS)
    before = structlog.get_config()
    yield tmp_path / "homefeed.toml"
    structlog.configure(**before)


def titled(recipe: Recipe) -> str:
    return recipe.feeds["popular"].settings.title


def weight(recipe: Recipe) -> float:
    (spec,) = recipe.feeds["popular"].retrieve
    return float(spec.config.model_dump()["events_weight"])


def in_force(name: str = "books.toml", overlay: Path | None = None) -> Recipe:
    return find_recipe(name, overlay, changes=load_settings().recipes)


def told(recipes: dict[str, Any]) -> str:
    return json.dumps(recipes)


def test_without_settings_a_recipe_is_as_it_is() -> None:
    assert load_settings().recipes == {}
    assert in_force() == find_recipe("books.toml")


def test_settings_replace_key_by_key(file: Path) -> None:
    file.write_text('[recipes.books.feeds.popular]\ntitle = "Loved"\n[recipes.books.signals]\nfull_default = 7\n')
    recipe, plain = in_force(), find_recipe("books.toml")
    assert (titled(recipe), weight(recipe), recipe.signals.full_default) == ("Loved", 0.5, 7)
    assert (titled(plain), weight(plain), plain.signals.full_default) == ("Most read", 0.5, 3_600)


def test_settings_add_what_a_recipe_may_have(file: Path) -> None:
    file.write_text('[recipes.books.jobs.nightly]\nevery = "1d"\nat = "02:00"\n')
    assert list(in_force().jobs) == ["nightly"]


def test_settings_are_of_their_own_app_alone(file: Path) -> None:
    file.write_text('[recipes.streaming.feeds.popular]\ntitle = "Hits"\n')
    recipes = find_recipes(["streaming", "community", "books.toml"], load_settings().recipes)
    assert titled(recipes["streaming"]) == "Hits"
    assert recipes["books"] == find_recipe("books.toml")
    assert recipes["community"] == find_recipe("community")


def test_the_environment_wins_over_the_file_and_a_file_at_hand_over_both(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(
        '[recipes.books]\ntitle = "1"\n'
        '[recipes.books.feeds.popular]\ntitle = "1"\nretrieve.popular.events_weight = 1\n'
    )
    popular = {"title": "2", "retrieve": {"popular": {"events_weight": 2}}}
    monkeypatch.setenv("HOMEFEED_RECIPES", told({"books": {"feeds": {"popular": popular}}}))
    overlay = file.with_name("overlay.toml")
    overlay.write_text('[feeds.popular]\ntitle = "3"\n')
    assert (in_force().title, titled(in_force()), weight(in_force())) == ("1", "2", 2)
    assert (titled(in_force(overlay=overlay)), weight(in_force(overlay=overlay))) == ("3", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feeds.popular.titel = 'x'", "feeds.popular.titel: no such key here; remove it or check its spelling"),
        ("feeds.popular = 3", "feeds.popular: input should be a table, got 3"),
        (
            "feeds.popular.retrieve.popular.half_life = 3",
            "feeds.popular.retrieve.popular.half_life: no such key here",
        ),
        ("feeds.top.retrieve.popular = {}", "feeds.top.rank: missing; this key is required"),
        ("signals.full_default = 0", "signals.full_default: input should be greater than 0, got 0"),
    ],
)
def test_a_key_that_is_not_there_is_told_with_where_it_comes_from(file: Path, text: str, message: str) -> None:
    file.write_text(f"[recipes.books]\n{text}\n")
    with pytest.raises(RecipeError) as caught:
        in_force()
    assert str(caught.value).startswith(f"books.toml with homefeed.toml [recipes.books]: {message}")


def test_an_error_names_all_that_a_recipe_is_made_of(file: Path) -> None:
    file.write_text('[recipes.books]\ntitle = "x"\n')
    overlay = file.with_name("overlay.toml")
    overlay.write_text("titel = 3\n")
    with pytest.raises(RecipeError) as caught:
        in_force(overlay=overlay)
    assert str(caught.value).startswith(
        f"books.toml with homefeed.toml [recipes.books] with {overlay}: titel: no suc"
    )


def test_settings_cannot_make_it_another_app(file: Path) -> None:
    file.write_text('[recipes.books]\napp = "films"\n')
    with pytest.raises(
        RecipeError, match=r"^homefeed\.toml \[recipes\.books\]: app: settings cannot name an app anew"
    ):
        in_force()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("{books", "setting recipes: expected JSON in HOMEFEED_RECIPES: Expecting property name"),
        ("[]", "setting recipes: Input should be a valid dictionary"),
        ('{"books": 3}', "setting recipes.books: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_table_of_recipes_is_told(monkeypatch: pytest.MonkeyPatch, value: str, text: str) -> None:
    monkeypatch.setenv("HOMEFEED_RECIPES", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(text)


def test_commands_the_server_and_functions_go_by_them(file: Path) -> None:
    file.write_text(
        '[recipes.streaming.feeds.popular]\ntitel = "x"\n[recipes.books.feeds.popular]\ntitle = "Loved"\n'
    )
    assert titled(recipe_of("books.toml")) == "Loved"
    message = r"recipe\.toml with homefeed\.toml \[recipes\.streaming\]: feeds\.popular\.titel: no such key"
    with pytest.raises(RecipeError, match=message):
        create_app(load_settings(apps=("streaming",)))
    with pytest.raises(RecipeError, match=message):
        Streaming()
    for command in ("serve", "schedule", "popular", "train streaming", "evaluate streaming"):
        failed = CliRunner().invoke(cli, command.split(), env={"HOMEFEED_APPS": "streaming"}).exception
        assert isinstance(failed, RecipeError), command


def test_doctor_tells_of_settings_that_change_nothing(file: Path) -> None:
    file.write_text(
        'apps = ["books.toml"]\nhome = "home"\nport = 0\n'
        '[recipes.books.feeds.popular]\ntitle = "x"\n[recipes.boks]\ntitle = "x"\n'
    )
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    found = {each["check"]: (each["ok"], each["detail"]) for each in json.loads(done.stdout)}
    assert found["recipes.boks"] == (True, "no effect: the setting apps has no boks")
    assert "recipes.books" not in found
