"""The queries of the shop sample: a product by any of its names, some with its brand, look or a feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.samples import Rng
from homefeed.samples.shop.sellers import BRANDS, MEASURES, PALETTES
from homefeed.samples.shop.stock import ALL_KINDS, KIND_SHELF, Stock
from homefeed.samples.shop.wares import SHELVES
from homefeed.types import Codes

MAX_WORDS: Final = 4

# Queries by the name alone, by its last word, with the brand, with the look, with a feature.
_ALONE, _LAST_WORD, _BRAND, _LOOK, _DETAIL = range(5)
_SHARES: Final = (0.5, 0.1, 0.14, 0.14, 0.12)

_AUDIENCE_SHARE: Final = 0.7
_AUDIENCES: Final = {"Men's": ("mens", "men"), "Women's": ("womens", "women"), "Kids'": ("kids", "kids")}
"""How an audience is typed before a name, and after it."""

_MAX_SHELVES: Final = 2  # maximum number of shelves with product names that end in a word typed alone
_MISSPELT_SHARE: Final = 0.04
_MIN_LETTERS: Final = 5  # of a word that is misspelt
_ADJACENT: Final = dict(zip("abcdefghijklmnopqrstuvwxyz", "svxfrghjoklknmpowtdyibecux", strict=True))
"""The neighbour of each letter on a keyboard."""


def write_queries(stock: Stock, item: Codes, rng: Rng) -> list[str]:
    """A query for each of the products `item`, of 1 to 4 words in lower case; a few are misspelt."""
    kind = stock.kind[item]
    form = np.searchsorted(np.cumsum(_SHARES), rng.random(len(item)) * (1 - 1e-9), side="right")
    called, last_words = _names()
    number = (rng.random(len(item)) * np.array([len(each.names) for each in ALL_KINDS])[kind]).astype(np.intp)
    name = np.where(form == _LAST_WORD, last_words[kind, number], called[kind, number])
    audience = _table([_AUDIENCES.get(SHELVES[shelf].audience, ()) for shelf in KIND_SHELF], 2)[kind]
    roll = rng.random(len(item))
    words = _frame(
        {
            "brand": _where(form == _BRAND, _brands()[kind, stock.brand[item]]),
            "look": _where(form == _LOOK, _looks()[kind, stock.look[item]]),
            "detail": _where(form == _DETAIL, _details()[kind, stock.detail[item]]),
            "before": _where(roll < _AUDIENCE_SHARE / 2, audience[:, 0]),
            "name": name,
            "after": _where(roll >= 1 - _AUDIENCE_SHARE / 2, audience[:, 1]),
        }
    )
    whole, short = (
        pl.concat_str(columns, separator=" ", ignore_nulls=True).str.to_lowercase()
        for columns in (pl.all(), pl.col("before", "name", "after"))
    )
    fits = whole.str.count_matches(" ", literal=True) < MAX_WORDS
    queries: list[str] = words.select(pl.when(fits).then(whole).otherwise(short)).to_series().to_list()
    for row in np.flatnonzero(rng.random(len(item)) < _MISSPELT_SHARE).tolist():
        queries[row] = misspell(queries[row], *rng.random(3).tolist())
    return queries


def misspell(query: str, which: float, where: float, how: float) -> str:
    """The query with one of its longer words mistyped; rolls of 0 to 1 choose word, letter and slip."""
    words = query.split(" ")
    longer = [row for row, word in enumerate(words) if len(word) >= _MIN_LETTERS and word.isalpha()]
    if not longer:
        return query
    row = longer[int(which * len(longer))]
    word = words[row]
    place = 1 + int(where * (len(word) - 2))
    before, letter, rest = word[:place], word[place], word[place + 1 :]
    slips = [before + rest, before + letter + letter + rest, before + _ADJACENT[letter] + rest]
    if rest[0] != letter:
        slips.append(before + rest[0] + letter + rest[1:])
    words[row] = slips[int(how * len(slips))]
    return " ".join(words)


def _names() -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """The names of each kind, (kinds, names), and their last words, or the whole name where that is ambiguous."""
    shelves: dict[str, set[int]] = {}
    for shelf, kind in zip(KIND_SHELF.tolist(), ALL_KINDS, strict=True):
        for name in kind.names:
            shelves.setdefault(name.rpartition(" ")[2], set()).add(shelf)
    unambiguous = {word for word, found in shelves.items() if len(found) <= _MAX_SHELVES and len(word) > 3}
    last_words = [
        tuple(word if (word := name.rpartition(" ")[2]) in unambiguous else name for name in kind.names)
        for kind in ALL_KINDS
    ]
    return _table([kind.names for kind in ALL_KINDS]), _table(last_words)


def _brands() -> npt.NDArray[np.object_]:
    return _table([BRANDS[SHELVES[shelf].main] for shelf in KIND_SHELF])


def _looks() -> npt.NDArray[np.object_]:
    """The looks of each kind; those that only give the size of a pack are not typed."""
    width = max(map(len, PALETTES.values()))
    return _table([() if kind.palette in MEASURES else PALETTES[kind.palette] for kind in ALL_KINDS], width)


def _details() -> npt.NDArray[np.object_]:
    return _table([kind.details for kind in ALL_KINDS])


def _table(rows: Sequence[Sequence[str]], width: int = 0) -> npt.NDArray[np.object_]:
    """Words by row, padded with None."""
    width = max(width, *map(len, rows))
    table: npt.NDArray[np.object_] = np.array([[*row, *[None] * (width - len(row))] for row in rows], object)
    return table


def _frame(columns: dict[str, npt.NDArray[np.object_]]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(name, words.tolist(), pl.String) for name, words in columns.items()])


def _where(chosen: npt.NDArray[np.bool_], words: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    found: npt.NDArray[np.object_] = np.where(chosen, words, np.array(None, object))
    return found
