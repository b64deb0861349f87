"""The words of a text, where each stands, and the parts of those that are made of several."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from homefeed.words.folding import folded, folded_with_places
from homefeed.words.quantities import INCHES, UNITS, amount_of, values_of

_MARKS: Final = "".join(c for c in map(chr, range(0x590, 0x1D00)) if unicodedata.category(c).startswith("M"))
_MARKS_OF_WORDS: Final = _MARKS + "\u3099\u309a"
"""What scripts from Hebrew to those of South-East Asia and Japan write around a letter: vowels, tones."""

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese and Japanese: scripts that leave no space between words."""

_DIGITS: Final = r"\d+(?:[.,]\d+)*|(?<![\w.])\.\d+"
_AMOUNT: Final = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)(?:\.\d+)?|\d+(?:[.,]\d+)?|\.\d+)"
_LETTER: Final = rf"(?![{_UNSPACED}])[^\W\d_][{_MARKS}]*"
_SYLLABLE: Final = rf"(?=[^\W\d_])[{_UNSPACED}][{_MARKS_OF_WORDS}]*"


def _pattern(letter: str) -> re.Pattern[str]:
    return re.compile(
        r"(?=[^\W_]|\.\d)(?:"
        rf"(?<![\w.,])(?=[\d.]){_AMOUNT}(?:[ -]?(?P<unit>{UNITS})(?![^\W_])|(?P<inches>{INCHES}))"
        rf"|(?P<unspaced>(?:{_SYLLABLE})+)"
        rf"|(?P<run>(?:(?:{letter})++|{_DIGITS})++)(?:(?P<sign>\+\+(?!\+)|\#(?!\w))|['\u2019]s(?![^\W_]))?)"
    )


_ANY: Final = _pattern(_LETTER)
_ASCII: Final = _pattern("[a-z]")
_PIECE: Final = re.compile(rf"(?P<digits>{_DIGITS})|(?:{_LETTER})+")
_SYLLABLES: Final = re.compile(_SYLLABLE)
_WORDS: Final = re.compile(r"\w+")
_RUNS: Final = re.compile(rf"{_SYLLABLE}|(?:(?![{_UNSPACED}])[\w{_MARKS}])+")
_NUMBER_BEFORE: Final = re.compile(_AMOUNT)

_KEPT_LENGTH: Final = 40
"""Characters: how a longer run is cut is not kept."""

_CODE: Final = 4
"""Of so many letters and numbers in turn it is the name of a model."""

_Piece: TypeAlias = "tuple[str, int, int, tuple[_Piece, ...]]"
"""A word, where it begins and ends, and its parts."""


class Token(NamedTuple):
    """A word as it is compared, where it begins and ends in the text, its place among the words, and its parts.

    Parts stand one after the other, the first where the whole does: "16GB" is 16gb, of 16 and gb. `is_pair` are
    two letters of a script without spaces, which overlap with those before and after.
    """

    word: str
    start: int
    end: int
    place: int
    parts: tuple[Token, ...] = ()
    is_pair: bool = False

    @property
    def words(self) -> tuple[Token, ...]:
        """It and its parts, as an item has them: the numbers in the name of a model say nothing of it."""
        if len(self.parts) < _CODE:
            return (self, *self.parts)
        return (self, *[part for part in self.parts if not part.word[0].isdigit()])


def tokens_of(text: str) -> list[Token]:
    """The words of a text in their order.

    Numbers are compared by what they are worth, and one with a unit is a word beside its parts. So is what has
    letters and digits, such as models' names, and what ends in signs: c++, c#. Scripts without spaces are cut
    into single letters and pairs of them, as search engines do.
    """
    is_ascii = text.isascii()
    plain, places = (text.lower(), []) if is_ascii else folded_with_places(text)
    found: list[Token] = []
    place = 0
    for start, (word, begin, end, parts) in _pieces(_ASCII if is_ascii else _ANY, plain):
        token = Token(word, start + begin, start + end, place)
        if parts:
            inner = [Token(part[0], start + part[1], start + part[2], place + n) for n, part in enumerate(parts)]
            token = token._replace(parts=tuple(inner), is_pair=_is_unspaced(word))
        found.append(token if is_ascii else _moved(token, places))
        place += len(parts) or 1
    return found


def words_of(text: str) -> list[str]:
    """The words of a text in their order, each that is made of several before its parts."""
    found: list[str] = []
    for _, (word, _, _, parts) in _pieces(_ASCII if text.isascii() else _ANY, folded(text)):
        found.append(word)
        found.extend([part[0] for part in parts if len(parts) < _CODE or not part[0][0].isdigit()])
    return found


def runs_of(text: str) -> list[str]:
    """The runs of letters and digits of a text, of scripts without spaces each letter: what copies have alike."""
    return _WORDS.findall(text.lower()) if text.isascii() else _RUNS.findall(folded(text))


def _pieces(pattern: re.Pattern[str], plain: str) -> Iterator[tuple[int, _Piece]]:
    for match in pattern.finditer(plain):
        kind = match.lastgroup or "run"
        text = match.group("run" if kind == "run" else 0)
        cut = _cut if len(text) <= _KEPT_LENGTH else _cut.__wrapped__
        start = match.start()
        for piece in cut(kind, text):
            yield start, piece


@lru_cache(200_000)
def _cut(kind: str, text: str) -> tuple[_Piece, ...]:
    if kind == "run":
        return ((text, 0, len(text), ()),) if text.isalpha() else _cut_run(text)
    if kind == "unspaced":
        return _cut_unspaced(text)
    if kind == "sign":
        return _cut_signed(text)
    return (_amount(text, "inch" if kind == "inches" else None),)


def _amount(text: str, unit: str | None) -> _Piece:
    """A number and its unit: the one that is told, or else what the text ends with."""
    number = _NUMBER_BEFORE.match(text)
    assert number is not None, "an amount begins with its number"  # noqa: S101
    middle, end = number.end(), len(text)
    begin = middle
    if unit is None:
        unit = text[middle:].lstrip(" -")
        begin = end - len(unit)
    whole, value = amount_of(number.group(), unit)
    return whole, 0, end, ((value, 0, middle, ()), (unit, begin, end, ()))


def _cut_signed(text: str) -> tuple[_Piece, ...]:
    """Letters before a sign are a word with it; to numbers it says nothing."""
    bare = text.rstrip("+#")
    if not bare.isalpha():
        return _cut_run(bare)
    return ((text, 0, len(text), ((bare, 0, len(bare), ()),)),)


def _cut_unspaced(text: str) -> tuple[_Piece, ...]:
    """Each letter with the next one; a letter is a part of the pair that it begins, the last one of its own."""
    letters: list[_Piece] = [
        (found.group(), found.start(), found.end(), ()) for found in _SYLLABLES.finditer(text)
    ]
    if len(letters) == 1:
        return tuple(letters)
    pairs: list[_Piece] = [(one[0] + two[0], one[1], two[2], (one,)) for one, two in pairwise(letters)]
    word, start, end, _ = pairs[-1]
    return (*pairs[:-1], (word, start, end, tuple(letters[-2:])))


def _cut_run(text: str) -> tuple[_Piece, ...]:
    """Letters and numbers without space between them."""
    pieces: list[_Piece] = []
    kinds = 0
    for match in _PIECE.finditer(text):
        kinds += 1
        if match.group("digits") is None:
            pieces.append((match.group(), match.start(), match.end(), ()))
        else:
            pieces.extend(_numbers(match.group(), match.start()))
    if kinds == 1:
        return tuple(pieces)
    whole = "".join([word for word, *_ in pieces])
    return ((whole, 0, len(text), tuple(pieces)),)


def _numbers(text: str, start: int) -> Iterator[_Piece]:
    values = values_of(text)
    lengths = [len(number) for number in text.split(",") if number] if len(values) > 1 else [len(text)]
    for value, length in zip(values, lengths, strict=True):
        yield value, start, start + length, ()
        start += length + 1


def _is_unspaced(word: str) -> bool:
    return not word.isascii() and _SYLLABLES.match(word) is not None


def _moved(token: Token, places: list[int]) -> Token:
    """The token with its place in the text instead of that in the folded one."""
    start, last = places[token.start], places[max(token.start, token.end - 1)]
    end = max(places[token.end], last + 1)
    return token._replace(start=start, end=end, parts=tuple([_moved(part, places) for part in token.parts]))
