"""Spellings that are the same: `caseless` for what names a thing, `folded` for what is looked for."""

from __future__ import annotations

import unicodedata
from typing import Final

_PARTS_OF_LETTERS: Final = frozenset((8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132))
"""Combining classes of marks without which it is another letter: voiced kana, viramas, vowels, tones."""

_INVISIBLE: Final = "\u00ad\u0640\u200b\u200c\u200d\u2060\ufeff"
"""What stands within words and is not said: soft hyphens, joiners, what keeps apart, the Arabic stroke."""

_SIGNS: Final = "\u2122\u2120\u00ae\u00a9"
"""Trade mark, service mark, registered, copyright: the compatibility form of some is letters, of none a word."""

_LETTERS: Final = {
    ord(pair[0]): pair[1:] for pair in ("æae", "œoe", "øo", "łl", "đd", "ðd", "þth", "ħh", "\u0131i", "ŋn", "ŧt")
}
"""Letters that people write otherwise, and that Unicode does not take apart."""


def caseless(text: str) -> str:
    """The same for texts that differ in letter case and in the form of Unicode alone: what filters compare."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def plain(text: str) -> str:
    """`caseless`, and the same however wide the space between words."""
    return " ".join(caseless(text).split())


def folded(text: str) -> str:
    """The text as it is searched: without letter case, accents, ligatures, trade marks and what is invisible."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text.translate(_FOLDS))


def folded_with_places(text: str) -> tuple[str, list[int]]:
    """The same, and of every character of it the place of what it was made of; at the end that of the end."""
    pieces: list[str] = []
    of: list[int] = []
    for place, character in enumerate(text):
        piece = character.translate(_FOLDS)
        if piece and pieces and unicodedata.combining(piece[0]):
            joined = unicodedata.normalize("NFC", pieces[-1] + piece)
            if len(joined) <= len(pieces[-1]):
                pieces[-1] = joined
                continue
        if piece:
            pieces.append(piece)
            of.extend([place] * len(piece))
    return "".join(pieces), [*of, len(text)]


class _Folds(dict[int, str]):
    """What each character is folded to, by its code."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in _INVISIBLE:
            found = ""
        elif character in _SIGNS:
            found = " "
        else:
            kept = (c for c in unicodedata.normalize("NFKD", character) if not _is_accent(c))
            found = unicodedata.normalize("NFC", "".join(kept)).casefold().translate(_LETTERS)
        self[code] = found
        return found


def _is_accent(character: str) -> bool:
    kind = unicodedata.combining(character)
    return kind != 0 and kind not in _PARTS_OF_LETTERS


_FOLDS: Final = _Folds()
