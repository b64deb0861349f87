"""Parts by name: a part's name in a recipe is its file's name, its class the same in CamelCase.

`popular` under `retrieve` is `homefeed.retrieve.popular.Popular`. A plug-in brings its own by an entry point
of its distribution, group `homefeed.<kind>`: `my_part = "my_package.module:MyPart"`.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any

from homefeed.errors import RecipeError
from homefeed.recipe.base import Kind

_PACKAGES: dict[Kind, tuple[str, ...]] = {
    "retrieve": ("homefeed.retrieve",),
    "filter": ("homefeed.policy",),
    "rerank": ("homefeed.policy",),
    "features": ("homefeed.rank.features",),
    "rank": ("homefeed.rank",),
    "model": ("homefeed.retrieve", "homefeed.rank"),
    "trainer": ("homefeed.retrieve", "homefeed.rank"),
}
_METHODS: dict[Kind, str] = {
    "retrieve": "retrieve",
    "filter": "filter",
    "rerank": "rerank",
    "features": "extract",
    "rank": "score",
    "model": "load",
    "trainer": "fit",
}


@cache
def find_part(kind: Kind, name: str) -> type[Any]:
    """The class of the part.

    Raises:
        RecipeError: nothing of that kind has that name; the text lists what has.
    """
    for entry in _installed(kind, tuple(sys.path)).select(name=name):
        try:
            return _checked(kind, name, entry.load())
        except (ImportError, AttributeError) as error:
            raise RecipeError(f'part "{name}" cannot be loaded from {entry.value}: {error}') from error
    for package in _PACKAGES[kind]:
        module_name, class_name = _address(kind, package, name)
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            continue
        if hasattr(module, class_name):
            return _checked(kind, name, getattr(module, class_name))
    known = part_names(kind)
    close = get_close_matches(name, known, 1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    expected = f"expected one of {', '.join(known)}" if known else "there is none yet"
    raise RecipeError(f'no part "{name}" to {kind}: {expected}{hint}')


def ranks(name: str) -> bool:
    """Whether the model of that name ranks candidates, and learns it from requests."""
    return hasattr(find_part("model", name), "contributions")


def learns_from_pairs(name: str) -> bool:
    """Whether the model of that name learns from a file of labelled pairs, not from what the store holds."""
    return hasattr(find_part("model", name), "importances")


def part_names(kind: Kind) -> list[str]:
    """Every name `find_part` would find, sorted."""
    names = {entry.name for entry in _installed(kind, tuple(sys.path))}
    for package in _PACKAGES[kind]:
        folder = importlib.import_module(package).__path__
        for module in pkgutil.iter_modules(folder):
            module_name, class_name = _address(kind, package, module.name)
            try:
                found = importlib.import_module(module_name)
            except ModuleNotFoundError:
                continue
            part = getattr(found, class_name, None)
            if part is not None and hasattr(part, _METHODS[kind]):
                names.add(module.name)
    return sorted(names)


@lru_cache(maxsize=16)
def _installed(kind: Kind, path: tuple[str, ...]) -> EntryPoints:  # noqa: ARG001 -- what is found there
    """The plug-ins of a kind: the files of all distributions are read once for it, not for every part."""
    return entry_points(group=f"homefeed.{kind}")


def _address(kind: Kind, package: str, name: str) -> tuple[str, str]:
    camel = "".join(word.capitalize() for word in name.split("_"))
    if kind in ("model", "trainer"):
        return f"{package}.{name}.{kind}", camel + kind.capitalize()
    return f"{package}.{name}", camel


def _checked(kind: Kind, name: str, part: type[Any]) -> type[Any]:
    if not hasattr(part, _METHODS[kind]):
        raise RecipeError(f'part "{name}" cannot {kind}: it has no method {_METHODS[kind]}()')
    if kind != "trainer" and not hasattr(part, "Config"):
        raise RecipeError(f'part "{name}" cannot be configured: it has no Config')
    return part
