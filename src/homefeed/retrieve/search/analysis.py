"""From a text to the terms that are compared: no accents, no letter case, no plurals."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_MARKS: Final = "".join(c for c in map(chr, range(0x590, 0x1D00)) if unicodedata.category(c).startswith("M"))
"""What scripts from Hebrew to those of India and South-East Asia write around a letter: vowels, tones."""
_WORD: Final = re.compile(rf"[^\W\d_]+(?:[{_MARKS}]+[^\W\d_]*)*|\d+(?:\.\d+)*")
_POSSESSIVE: Final = re.compile("['\u2019]s\\b")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=(?:\d{2,3},)*\d{3}(?!\d))")

_PARTS_OF_LETTERS: Final = frozenset((8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132))
"""Combining classes of marks without which it is another letter: voiced kana, viramas, vowels, tones."""
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200c\u200d\u2060\ufeff"))
"""What stands within words and is not seen: soft hyphens, joiners and what keeps apart."""

_SMALL_WORDS: Final = frozenset(
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


def words_of(text: str) -> list[str]:
    """The words of a text in their order, numbers apart from letters: "16GB Pen-Drives" is 16, gb, pen, drives.

    A number is one however it is grouped: 10,000 and 1,00,000 are 10000 and 100000.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_INVISIBLE))
        letters = (c for c in decomposed if not _is_accent(c))
        text = unicodedata.normalize("NFC", "".join(letters))
    text = text.casefold()
    if "'" in text or "\u2019" in text:
        text = _POSSESSIVE.sub("", text)
    if "," in text:
        text = _THOUSANDS.sub("", text)
    return _WORD.findall(text)


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


def query_terms(text: str) -> dict[str, str]:
    """The terms of a text in their order, without small words, each with the word it was written as first."""
    word_of: dict[str, str] = {}
    for word in words_of(text):
        word_of.setdefault(stem(word), word)
    return {term: word for term, word in word_of.items() if word not in _SMALL_WORDS} or word_of


def _is_accent(character: str) -> bool:
    kind = unicodedata.combining(character)
    return kind != 0 and kind not in _PARTS_OF_LETTERS
