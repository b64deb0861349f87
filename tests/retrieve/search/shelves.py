"""A shelf of named things to search, for the tests of the parts that do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.retrieve.search.engine import SearchConfig, SearchEngine
from homefeed.retrieve.search.index import TextIndex
from homefeed.retrieve.search.reading import Reading
from homefeed.retrieve.search.synonyms import parse_synonyms
from homefeed.retrieve.search.understanding import Concept, understood
from homefeed.types import Item


def thing(position: int, name: str, *, hidden: bool = False, deleted: bool = False, **fields: str) -> Item:
    """The item of that position."""
    return Item(f"i{position}", 5 + 2 * position, {"name": name, **fields}, None, hidden, deleted)


def shelf(*names: str) -> CatalogView:
    """A catalogue of things named so, in that order."""
    catalog = CatalogView({"name": "text", "kind": "category", "tags": "tags", "price": "number"}, "name")
    catalog.apply(thing(position, name) for position, name in enumerate(names))
    return catalog


def reading(*names: str) -> Reading:
    """The words of things named so."""
    return TextIndex(shelf(*names), {"name": 1.0}).reading


def engine(catalog: CatalogView, table: str = "", **config: float) -> SearchEngine:
    """A search of names; `table` are synonyms."""
    settings = SearchConfig.model_validate({"fields": {"name": 1.0}, **config})
    return SearchEngine(settings, TextIndex(catalog, settings.fields), parse_synonyms(table, "test"))


def found(searching: SearchEngine, text: str) -> list[int]:
    """The positions that match, best first."""
    scores = searching.find(text).scores
    return [p for p in np.argsort(-scores, kind="stable").tolist() if scores[p] > 0]


def meant(text: str, names: Sequence[str], table: str = "") -> list[Concept]:
    """What a text means among things named so."""
    return list(understood(text, reading(*names), parse_synonyms(table, "test")))


def alternatives(text: str, names: Sequence[str], table: str = "") -> list[dict[str, float]]:
    """For each concept what will do for it, and how much that counts."""
    return [{" ".join(other.phrase): other.weight for other in c.alternatives} for c in meant(text, names, table)]
