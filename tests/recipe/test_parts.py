"""Finding parts by name: those of the house, and those of plug-ins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homefeed.errors import RecipeError
from homefeed.policy.availability import Availability
from homefeed.rank.weighted import Weighted
from homefeed.recipe import Kind, find_part, parse_recipe, part_names
from homefeed.retrieve.item_item import ItemItem
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.retrieve.popular import Popular

MODULE = """
from typing import Any
from homefeed.protocols import PartConfig

class Alphabet:
    class Config(PartConfig):
        reverse: bool = False
    def __init__(self, config: Config, resources: Any) -> None: ...
    def retrieve(self, query: Any, k: int) -> Any: ...

class Bare:
    def retrieve(self, query: Any, k: int) -> Any: ...
"""
ENTRY_POINTS = """
[homefeed.retrieve]
alphabet = {module}:Alphabet
bare = {module}:Bare
gone = {module}:Gone
nowhere = {module}_nowhere:Alphabet

[homefeed.rank]
alphabet = {module}:Alphabet
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A distribution with parts of its own is installed; the name of its module."""
    module = "homefeed_test_plugin"
    (tmp_path / f"{module}.py").write_text(MODULE)
    info = tmp_path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS.format(module=module))
    monkeypatch.syspath_prepend(tmp_path)
    find_part.cache_clear()
    yield module
    find_part.cache_clear()
    sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("kind", "name", "part"),
    [
        ("retrieve", "popular", Popular),
        ("retrieve", "item_item", ItemItem),
        ("filter", "availability", Availability),
        ("rank", "weighted", Weighted),
        ("model", "item_item", ItemItemModel),
        ("trainer", "item_item", ItemItemTrainer),
    ],
)
def test_a_part_is_found_by_the_name_of_its_file(kind: Kind, name: str, part: type) -> None:
    assert find_part(kind, name) is part
    assert name in part_names(kind)


@pytest.mark.parametrize("kind", ["retrieve", "filter", "features", "rank", "rerank", "model", "trainer"])
def test_every_name_that_is_listed_is_found(kind: Kind) -> None:
    names = part_names(kind)
    assert names == sorted(set(names))
    for name in names:
        find_part(kind, name)


@pytest.mark.parametrize("name", ["nothing", "selection", "homefeed", "model", "item_item.model"])
def test_what_is_not_a_part_is_refused_with_the_list_of_those_that_are(name: str) -> None:
    known = ", ".join(part_names("retrieve"))
    with pytest.raises(RecipeError, match=f'^no part "{name}" to retrieve: expected one of {known}'):
        find_part("retrieve", name)


@pytest.mark.parametrize(
    ("wrong", "right"), [("popula", "popular"), ("poplar", "popular"), ("trendy", "trending")]
)
def test_a_misspelt_part_gets_a_hint(wrong: str, right: str) -> None:
    with pytest.raises(RecipeError, match=f'did you mean "{right}"'):
        find_part("retrieve", wrong)


def test_a_part_of_another_kind_does_not_do() -> None:
    with pytest.raises(RecipeError, match=r"has no method rerank\(\)"):
        find_part("rerank", "availability")


def test_what_a_part_itself_lacks_is_not_taken_for_a_missing_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = importlib.import_module

    def lacking(name: str) -> Callable[[str], object]:
        def load(module: str) -> object:
            if module == "homefeed.retrieve.popular":
                raise ModuleNotFoundError(f"No module named '{name}'", name=name)
            return real(module)

        return load

    find_part.cache_clear()
    for name in ("faiss", "home"):
        monkeypatch.setattr(importlib, "import_module", lacking(name))
        with pytest.raises(ModuleNotFoundError):
            find_part("retrieve", "popular")


def test_a_plugin_brings_its_parts_by_entry_point(plugin: str) -> None:
    part = find_part("retrieve", "alphabet")
    assert (part.__module__, part.__name__) == (plugin, "Alphabet")
    assert {"alphabet", "popular"} <= set(part_names("retrieve"))
    assert "alphabet" not in part_names("filter")


@pytest.mark.usefixtures("plugin")
def test_a_recipe_uses_and_configures_a_plugins_part() -> None:
    table = {
        "app": "demo",
        "items": {"fields": {"title": "text"}},
        "events": {"play": {}},
        "feeds": {
            "home": {
                "retrieve": {"alphabet": {"reverse": True, "k": 5}},
                "rank": {"weighted": {"weights": {"alphabet": 1}}},
            }
        },
    }
    (spec,) = parse_recipe(table, "test").feeds["home"].retrieve
    assert (spec.part, spec.k, spec.config.model_dump()) == ("alphabet", 5, {"reverse": True})
    table["feeds"]["home"]["retrieve"]["alphabet"] = {"sideways": True}  # type: ignore[index]
    with pytest.raises(RecipeError, match=r"test: feeds\.home\.retrieve\.alphabet\.sideways: no such key"):
        parse_recipe(table, "test")


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("retrieve", "bare", 'part "bare" cannot be configured: it has no Config'),
        ("retrieve", "gone", 'part "gone" cannot be loaded from homefeed_test_plugin:Gone'),
        ("retrieve", "nowhere", "No module named 'homefeed_test_plugin_nowhere'"),
        ("rank", "alphabet", r"cannot rank: it has no method score\(\)"),
    ],
)
def test_a_plugin_at_fault_is_named(kind: Kind, name: str, text: str) -> None:
    with pytest.raises(RecipeError, match=text):
        find_part(kind, name)
