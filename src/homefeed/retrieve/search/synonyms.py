"""Tables of synonyms, in the format of Solr: the words of a trade, which no dictionary has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from homefeed.errors import RecipeError
from homefeed.retrieve.search.analysis import query_words

Phrase: TypeAlias = tuple[str, ...]
"""One or more terms, in their order."""

_SHIPPED: Final = files("homefeed.retrieve.search") / "tables"


@dataclass(frozen=True, slots=True)
class Synonyms:
    """For a phrase its synonyms; `longest` is how many terms a phrase has at most."""

    table: Mapping[Phrase, tuple[Phrase, ...]] = field(default_factory=dict)
    longest: int = 0

    def of(self, phrase: Phrase) -> tuple[Phrase, ...]:
        """The synonyms of a phrase; none for one that the table does not have."""
        return self.table.get(phrase, ())


NO_SYNONYMS: Final = Synonyms()


def shipped_tables() -> list[str]:
    """The names of the tables that come with Homefeed."""
    return sorted(entry.name.removesuffix(".txt") for entry in _SHIPPED.iterdir() if entry.name.endswith(".txt"))


def table_text(name: str) -> str:
    """The text of a table: one that comes with Homefeed, or the file of that path.

    Raises:
        RecipeError: it is neither, or cannot be read.
    """
    if not name.endswith(".txt"):
        if name not in shipped_tables():
            known = ", ".join(shipped_tables())
            raise RecipeError(f'synonyms: no table "{name}"; expected one of {known}, or the path of a .txt file')
        return (_SHIPPED / f"{name}.txt").read_text(encoding="utf-8")
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecipeError(f"synonyms: {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecipeError(f"synonyms: {name}: not UTF-8; save it as UTF-8") from None


def parse_synonyms(text: str, origin: str) -> Synonyms:
    """Read a table: a rule a line, and what follows a # is a comment.

    In `phrase, phrase` each is a synonym of every other; in `phrases => phrases` those on the right are synonyms
    of those on the left, and not the other way round. A phrase of several rules gets the synonyms of all of them.
    What was typed is always searched, whether the right side repeats it or not.

    Raises:
        RecipeError: a line is no rule; the text names it.
    """
    table: dict[Phrase, dict[Phrase, None]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        rule = line.partition("#")[0].strip()
        if not rule:
            continue
        left, arrow, right = rule.partition("=>")
        phrases, found = _phrases(left), _phrases(right if arrow else left)
        if not phrases or not found or (not arrow and "," not in left):
            raise RecipeError(
                f'synonyms: {origin}, line {number}: expected "sofa, couch" or "sofa => couch", got "{rule:.80}"'
            )
        for phrase in phrases:
            table.setdefault(phrase, {}).update({other: None for other in found if other != phrase})
    kept = {phrase: tuple(others) for phrase, others in table.items() if others}
    return Synonyms(kept, max(map(len, kept), default=0))


def _phrases(text: str) -> list[Phrase]:
    phrases = (tuple([word.term for word in query_words(part)]) for part in text.split(","))
    return list(dict.fromkeys(phrase for phrase in phrases if phrase))
