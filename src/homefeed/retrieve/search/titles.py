"""What a title is the name of: the noun at its head, and not what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from homefeed.retrieve.search.analysis import SMALL_WORDS
from homefeed.words import Token

HEAD: Final = 1
OTHER: Final = 0
BELONGING: Final = -1

_BREAK: Final = re.compile(r"[,;:|()\[\]/\u2013\u2014&+]|\s-\s")
_BELONGING: Final = frozenset(("for", "with", "compatible", "fits", "suitable"))
_ENDING: Final = frozenset(("from", "by", "of"))
_AFTER_THE_NOUN: Final = _BELONGING | _ENDING | {"to", "under", "that", "who", "when", "where", "in", "on"}


def roles_of(text: str, tokens: Sequence[Token]) -> list[int]:
    """What each word is in a title: `HEAD` where it ends a phrase, as nouns of English do what the phrase names,
    `BELONGING` where it stands after `for` or the like, else `OTHER`.

    In "Padded Laptop Bag for Men, Black" that is the bag and the colour, and the men are whom it is for. Numbers,
    amounts and names of models are passed over: "Smart TV UA43 (Black)" is a TV.
    """
    roles = [OTHER] * len(tokens)
    for phrase, belongs in _phrases(text, tokens):
        for place in phrase:
            roles[place] = BELONGING if belongs else OTHER
        nouns = [place for place in phrase if _may_be_noun(tokens[place])]
        if nouns and not belongs:
            roles[nouns[-1]] = HEAD
    return roles


def end_of_noun(text: str, tokens: Sequence[Token]) -> int:
    """Where in a query the phrase ends that names what is looked for: "bag" of "bag for a laptop"."""
    after = (token.start for token in tokens[1:] if token.word in _AFTER_THE_NOUN)
    return next(after, len(text))


def _phrases(text: str, tokens: Sequence[Token]) -> Iterator[tuple[list[int], bool]]:
    """The places of the words of each phrase, and whether it says what a thing is for."""
    phrase: list[int] = []
    belongs, end = False, 0
    for place, token in enumerate(tokens):
        is_break = place > 0 and _BREAK.search(text, end, token.start) is not None
        is_joint = token.word in _BELONGING or token.word in _ENDING
        if is_break or is_joint:
            yield phrase, belongs
            phrase, belongs = [], token.word in _BELONGING
        if not is_joint:
            phrase.append(place)
        end = token.end
    yield phrase, belongs


def _may_be_noun(token: Token) -> bool:
    return token.word not in SMALL_WORDS and not token.word[0].isdigit() and (token.is_pair or not token.parts)
