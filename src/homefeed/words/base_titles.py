"""What a title says besides size, colour and number: what the variants of a product have in common."""

from __future__ import annotations

import re
from typing import Final

from homefeed.words.folding import folded
from homefeed.words.quantities import INCHES, words_for
from homefeed.words.tokens import runs_of


def _any(words: str) -> str:
    """Alternatives of a regular expression, as folded texts have them."""
    return "|".join(sorted({folded(word) for word in words.split()}, key=len, reverse=True))


_COLOURS: Final = _any(
    "beige black blue brown burgundy charcoal cyan fuchsia gray graphite green grey indigo ivory khaki "
    "magenta maroon mauve multicolor multicolored multicolour multicoloured navy pink purple red rosegold tan "
    "taupe teal turquoise violet white yellow "
    "blau braun bunt dunkelblau dunkelgrau dunkelgrün dunkelrot gelb grau grün hellblau hellgrau hellgrün "
    "himmelblau lila mehrfarbig rosa rot schwarz türkis weiß"
)
_THINGS: Final = _any(
    "amber apricot aqua assorted bronze camel champagne chocolate clear copper coral cream emerald gold "
    "golden gunmetal lavender lilac lime mint mustard olive orange peach platinum plum rose ruby rust salmon "
    "sand sapphire silver slate terracotta transparent walnut wine "
    "creme koralle silber"
)
"""What is a colour only where nothing else is said: "(Orange)" is one, "Orange Juice" is not."""
_SHADES: Final = _any(
    "army baby bottle bright dark deep electric forest hot ice jet light matt matte metallic midnight neon "
    "off pale pastel royal sea sky smoke smoky space steel stone warm dunkel hell"
)
_COLOURED: Final = _any(
    "bean beans bread cabbage chilli coffee grape grapes lentil lentils onion onions pepper rice salt sugar "
    "tea wine"
)
"""What is another thing in another colour: green tea is no black tea."""

_NUMBER: Final = r"\d+(?:[.,]\d+){0,2}"
_TIMES: Final = r"\s?(?:x|\u00d7|\*)\s?"
_UNITS: Final = words_for("l", "kg", "cm", "inch", "ft", "tb", "gb", "mb", "ton", "oz", "lb")
"""Not those of power and the like: a drill of 18 V is no drill of 12 V."""
_COUNTS: Final = _any(
    "capsules count ct nos pack packs pair pairs pc pcs piece pieces rolls sachets tablets units wipes "
    "stk stück teilig tlg"
)
_AGES: Final = _any("year years yr yrs month months jahre monate")
_SYSTEMS: Final = "eu|eur|uk|us"
_SIZED: Final = f"sizes?|{folded('größe')}"
_LETTERED: Final = r"(?:[sml]|\d?x+[sl])"

_GENERATION: Final = re.compile(r"\b([2-6])G\b")
"""Of a phone's network: what else is 5 g is a weight."""
# Repetitions are bounded, so that no title takes longer than its length.
_SIZE: Final = re.compile(
    r"(?<![^\W_])(?:"
    rf"(?:{_SIZED})[\s:]{{0,3}}(?:{_LETTERED}|(?:(?:{_SYSTEMS})[\s:.-]?)?{_NUMBER}(?:\s?[-/]\s?{_NUMBER})?)"
    rf"|(?:{_SYSTEMS})[\s:.-]?{_NUMBER}(?:\s?[-/]\s?{_NUMBER})?"
    r"|(?:box|bundle|combo|lot|pack|set)\sof\s\d+"
    rf"|{_NUMBER}(?:(?:{_TIMES}|\s?(?:-|to)\s?){_NUMBER}){{0,3}}"
    rf"(?:[\s-]{{0,2}}(?:{_UNITS}|{_COUNTS}|{_AGES}|{_SYSTEMS})(?![^\W_])|(?:{INCHES}))"
    rf"|{_NUMBER}(?:{_TIMES}{_NUMBER}){{1,3}}"
    r"|(?:free|king|one|queen)[\s-]size"
    rf"|{_LETTERED}(?:\s?/\s?{_LETTERED}){{1,9}}"
    rf"|\d?x+[sl]|(?:(?:x|extra)[\s-]){{0,3}}(?:large|medium|small|{_any('klein mittel groß')})"
    r")(?![^\W_])"
)
_COLOUR: Final = re.compile(
    rf"\b(?:(?:colou?r|farbe)\s?:?\s?)?(?:(?:{_SHADES}|{_THINGS})[\s-]){{0,3}}"
    rf"(?:{_COLOURS}|multi[\s-]colou?r(?:ed)?)\b(?![\s-](?:{_COLOURED})\b)(?:\scolou?r\b)?"
)
_SIGN: Final = r"[,;:|()\[\]{}/&\u2013\u2014]"
_ALONE: Final = re.compile(
    rf"(?P<sign>{_SIGN}|\s-)[\s-]?(?:[sml]|(?:(?:{_SHADES}|{_THINGS})[\s-]){{0,3}}(?:{_THINGS}))(?=\s?(?:{_SIGN}|-\s|$))"
)


def base_title(text: str) -> str:
    """The words of a title without those of size, colour and number; empty where it says nothing else.

    A number goes where a word beside it says what it measures or counts: 500 ml, size 9, pack of 3, 6x4. Any
    other stays, as names of models do, for an iPhone 13 is no variant of an iPhone 14. In the place of what goes
    stands a sign, so that "Shirt Blue L" ends in a size as "Shirt (L)" does.
    """
    rest = " ".join(folded(_GENERATION.sub(r"\1generation", text)).replace("_", "|").split())
    for told in (_SIZE, _COLOUR):
        rest = told.sub("|", rest)
    return " ".join(runs_of(_ALONE.sub(r"\g<sign>", rest)))
