"""How commands name an app."""

import json
from pathlib import Path

import pytest
from tests.cli.running import done, run

from homefeed.apps import app_names, built_in, find_app
from homefeed.cli.naming import app_first, complete_app
from homefeed.errors import SettingsError

NEWS = """app = "news"
[items.fields]
title = "text"
section = "category"
[events.read]
[feeds.popular]
retrieve.popular = {}
rank.weighted.weights.popular = 1
[feeds.latest]
retrieve.fresh = {}
rank.weighted.weights.fresh = 1
"""
ITEMS = "item_id,title,section\na,A,city\nb,B,world\nc,C,city\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one app of one's own in its settings, and its items imported."""
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "recipe.toml").write_text(NEWS)
    (tmp_path / "items.csv").write_text(ITEMS)
    (tmp_path / "homefeed.toml").write_text('apps = ["news/recipe.toml"]\n')
    monkeypatch.chdir(tmp_path)
    done(tmp_path, "import", "news", ".")
    return tmp_path


def test_an_app_is_named_first_by_an_option_or_not_at_all(folder: Path) -> None:
    shown = "Top 2 Popular Items:\n1. c - C\n2. b - B\n"
    for named in (["news"], ["--app", "news"], ["--app=news"], ["news/recipe.toml"], []):
        assert done(folder, "popular", *named, "--k", "2") == shown, named
        assert done(folder, "models", *named).startswith("no model of news is trained yet")


def test_what_comes_after_the_app_is_as_before_where_an_option_names_it(folder: Path) -> None:
    for args in (["models", "news", "signals"], ["models", "signals", "--app", "news"]):
        assert done(folder, *args) == "no version yet\n"


def test_the_option_comes_first_wherever_it_stands() -> None:
    assert app_first(["hourly", "--app", "shop", "--json"]) == ["shop", "hourly", "--json"]
    assert app_first(["--app=shop", "a"]) == ["shop", "a"]
    assert app_first(["a", "--", "--app", "shop"]) == ["a", "--", "--app", "shop"]
    assert app_first(["a", "--app"]) == ["a", "--app"], "without a name it is an error, and not ours"


def test_among_several_a_command_has_its_own_or_asks(folder: Path) -> None:
    asked = run(folder, "popular", HOMEFEED_APPS="news/recipe.toml,shop")
    assert str(asked.exception) == "which app? The settings have news, shop; name one: homefeed popular news"
    own = run(folder, "popular", HOMEFEED_APPS="news/recipe.toml,streaming")
    assert str(own.exception).startswith("streaming has no items yet")
    searched = run(folder, "search", "word", HOMEFEED_APPS="news/recipe.toml,shop")
    assert str(searched.exception).startswith("shop has no items yet")
    assert str(run(folder, "train", HOMEFEED_APPS="").exception).startswith(
        "which app? The setting apps names none"
    )


def test_a_query_may_follow_the_app(folder: Path) -> None:
    for args in (["news", "word"], ["word", "--app", "news"], ["word"]):
        assert str(run(folder, "search", *args).exception) == (
            'no feed "search" in news; there are: popular, latest'
        )
    assert '"news red shoes"' in str(run(folder, "search", "news", "red", "shoes").exception)


def test_an_app_of_the_settings_comes_before_a_ready_made_one_of_its_name(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(NEWS.replace('"news"', '"shop"'))
    assert app_names([str(own), "live"]) == {"shop": str(own), "live": "live"}
    assert find_app("shop", [str(own)]) == str(own)
    assert find_app("shop") == "shop"
    assert find_app("any/recipe.toml") == "any/recipe.toml"
    broken = str(tmp_path / "broken.toml")
    assert app_names([broken]) == {broken: broken}, "what cannot be read says so when it is used"


def test_an_unknown_name_is_answered_by_those_that_are_known(folder: Path) -> None:
    failed = run(folder, "popular", "nwes")
    known = ", ".join(sorted([*built_in(), "news"]))
    assert isinstance(failed.exception, SettingsError)
    assert str(failed.exception) == (
        f'no app "nwes": expected one of {known}, or the path of a recipe.toml; did you mean "news"?'
    )


def test_a_filter_of_any_field_is_as_over_http(folder: Path) -> None:
    found = json.loads(done(folder, "popular", "--filter", "section:city", "--json"))
    assert [item["item_id"] for item in found["items"]] == ["c", "a"]
    both = run(folder, "popular", "--filter", "section:city", "--filter", "sektion:x")
    assert "sektion" in str(both.exception)
    assert "filter: expected field:value" in str(run(folder, "popular", "--filter", "city").exception)


def test_names_of_apps_and_feeds_complete(folder: Path) -> None:
    assert complete_app("n") == ["news"]
    assert complete_app("s") == ["shop", "streaming"]

    def offered(words: str) -> list[str]:
        typed = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        result = run(folder, _HOMEFEED_COMPLETE="complete_bash", **typed)
        return result.stdout.split()

    assert offered("homefeed mod") == ["models"]
    assert offered("homefeed train n") == ["news"]
    assert offered("homefeed popular --app n") == ["news"]
    assert offered("homefeed recommend --feed l") == ["latest"]
    assert offered("homefeed recommend shop --feed h") == ["home"]
    (folder / "homefeed.toml").write_text("apps = [")
    assert offered("homefeed train n") == [], "wrong settings are told by commands"
