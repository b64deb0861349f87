"""The terms of a text: its words without the endings of plurals, and of a query without small words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from homefeed.words import Token, tokens_of

SMALL_WORDS: Final = frozenset(
    ("a", "an", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
)
"""Words that are ignored unless there is no other."""

_IRREGULAR: Final = {
    "buses": "bus",
    "children": "child",
    "feet": "foot",
    "halves": "half",
    "knives": "knife",
    "leaves": "leaf",
    "lens": "lens",
    "lenses": "lens",
    "loaves": "loaf",
    "men": "man",
    "mens": "man",
    "mice": "mouse",
    "scarves": "scarf",
    "series": "series",
    "shelves": "shelf",
    "teeth": "tooth",
    "women": "woman",
    "womens": "woman",
}

_ENDINGS: Final[tuple[tuple[str, int, tuple[str, ...], str], ...]] = (
    ("sses", 5, (), "ss"),
    ("xes", 5, (), "x"),
    ("ches", 5, (), "ch"),
    ("shes", 5, (), "sh"),
    ("zzes", 5, (), "zz"),
    ("oes", 6, ("sh", "can"), "o"),
    ("ies", 5, ("a", "e"), "y"),
    ("ie", 4, ("a", "e"), "y"),
    ("es", 4, ("a", "e", "o"), "e"),
    ("s", 4, ("u", "s"), ""),
)
"""What a word of so many letters ends in, unless after those, and what comes in its place: the first that fits."""


@lru_cache(200_000)
def stem(word: str) -> str:
    """The word without the ending of a plural.

    The S stemmer of Harman, "How effective is suffixing?" (JASIS 1991), with more for what hisses (boxes, watches,
    dresses), for potatoes, for hoodie and hoodies, and a few that no rule has. It leaves -ing and -er alone: in a
    shop an earring is no ear and a trimmer no trim.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, shortest, unless_after, instead in _ENDINGS:
        before = word.removesuffix(ending)
        if len(word) >= shortest and before != word and not before.endswith(unless_after):
            return before + instead
    return word


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a query: its term, what it is folded, as it was typed, and the terms of its parts, likewise.

    `start` is where it begins in the query. A pair overlaps with the words beside it.
    """

    term: str
    word: str
    typed: str
    start: int = 0
    parts: tuple[QueryWord, ...] = ()
    is_pair: bool = False

    @property
    def end(self) -> int:
        """Where it ends in the query."""
        return self.start + len(self.typed)


def query_words(text: str) -> list[QueryWord]:
    """The words of a query in their order, each term once, and without small words if there are others."""
    distinct: dict[str, QueryWord] = {}
    for token in tokens_of(text):
        word = _query_word(token, text)
        distinct.setdefault(word.term, word)
    words = list(distinct.values())
    return [word for word in words if word.word not in SMALL_WORDS] or words


def _query_word(token: Token, text: str) -> QueryWord:
    parts = tuple([_query_word(part, text) for part in token.parts])
    typed = text[token.start : token.end]
    return QueryWord(stem(token.word), token.word, typed, token.start, parts, token.is_pair)
