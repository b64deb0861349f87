"""Words and terms: what is compared, in any script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve.search.analysis import query_terms, stem, words_of


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("glass glasses", "glass"),
        ("dress dresses", "dress"),
        ("watch watches", "watch"),
        ("brush brushes", "brush"),
        ("box boxes", "box"),
        ("shoe shoes", "shoe"),
        ("horseshoe horseshoes", "horseshoe"),
        ("canoe canoes", "canoe"),
        ("potato potatoes", "potato"),
        ("mango mangoes", "mango"),
        ("toe toes", "toe"),
        ("earring earrings", "earring"),
        ("trimmer trimmers", "trimmer"),
        ("accessory accessories", "accessory"),
        ("battery batteries", "battery"),
        ("hoodie hoodies hoody", "hoody"),
        ("necktie neckties", "neckty"),
        ("tie ties", "tie"),
        ("saree sarees", "saree"),
        ("case cases", "case"),
        ("size sizes", "size"),
        ("jean jeans", "jean"),
        ("trouser trousers", "trouser"),
        ("lens lenses", "lens"),
        ("knife knives", "knife"),
        ("scarf scarfs scarves", "scarf"),
        ("man men mens", "man"),
        ("woman women womens", "woman"),
        ("bus buses", "bus"),
        ("gas", "gas"),
        ("series", "series"),
        ("wireless", "wireless"),
        ("plus", "plus"),
        ("as", "as"),
        ("s", "s"),
        ("ass asses", "ass"),
        ("tax taxes", "tax"),
        ("axe axes", "axe"),
        ("ash ashes", "ash"),
        ("aches", "ach"),
        ("fizz fizzes", "fizz"),
        ("hero heroes", "hero"),
        ("fly flies", "fly"),
        ("pie pies", "pie"),
        ("okie okies", "oky"),
        ("cat cats", "cat"),
        ("ads", "ads"),
    ],
)
def test_a_plural_is_the_same_term_as_its_singular(words: str, term: str) -> None:
    assert {stem(word) for word in words.split()} == {term}


@pytest.mark.parametrize(
    ("one", "other"),
    [("earring", "ear"), ("trimmer", "trim"), ("glass", "gla"), ("case", "cas"), ("bus", "bu"), ("tie", "ty")],
)
def test_other_things_stay_other_terms(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("16GB Pen-Drives", ["16", "gb", "pen", "drives"]),
        ("Crème BRÛLÉE, Ångström", ["creme", "brulee", "angstrom"]),
        ("men's women\u2019s Levi's kids'", ["men", "women", "levi", "kids"]),
        ("it's a_snake/case", ["it", "a", "snake", "case"]),
        ("USB3.0 1.5L 5.5.5", ["usb", "3.0", "1.5", "l", "5.5.5"]),
        ("10,000mAh 1,00,000 10000mAh", ["10000", "mah", "100000", "10000", "mah"]),
        ("2,3,4 1,5 1,0000", ["2", "3", "4", "1", "5", "1", "0000"]),
        ("x² ½ ① Ⅷ ﬁne \uff11\uff12", ["x", "2", "1", "2", "1", "viii", "fine", "12"]),
        ("STRASSE straße İstanbul", ["strasse", "strasse", "istanbul"]),
        ("a\x00b😀c\u202ed", ["a", "b", "c", "d"]),
        ("wire\u00adless क्\u200dष", ["wireless", "क्ष"]),
        ("!?* — …", []),
        ("", []),
    ],
)
def test_words_are_found(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी जूते", ["हिन्दी", "जूते"]),  # signs of vowels, and a virama, are no accents
        ("தமிழ் செருப்பு", ["தமிழ்", "செருப்பு"]),
        ("รองเท้า", ["รองเท้า"]),
        ("バス ハス ﾊﾞｽ", ["バス", "ハス", "バス"]),  # a bus is no lotus
        ("한국어 신발", ["한국어", "신발"]),
        ("无线耳机", ["无线耳机"]),
        ("العَرَبِيَّة العربية", ["العربية", "العربية"]),  # points that people leave out
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("Ελλάδα ЁЛКА елка", ["ελλαδα", "елка", "елка"]),
        ("क़लम क़लम", ["कलम", "कलम"]),
    ],
)
def test_words_of_other_scripts_stay_whole(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words
    assert all(words)


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_letter_case_makes_no_difference(text: str) -> None:
    assert words_of(text.casefold()) == words_of(text)


def test_what_is_query_terms_are_terms_with_the_words_that_were_typed() -> None:
    assert query_terms("Shoes for the Kids") == {"shoe": "shoes", "kid": "kids"}
    assert query_terms("shoe SHOES shoe") == {"shoe": "shoe"}


def test_small_words_count_where_there_are_no_others() -> None:
    assert query_terms("the") == {"the": "the"}
    assert query_terms("on and on") == {"on": "on", "and": "and"}
    assert query_terms("!") == {}


@pytest.mark.parametrize(
    ("letter", "mark", "combining"),
    [
        ("\u304b", "\u3099", 8),
        ("\u0915", "\u094d", 9),
        ("\u0c15", "\u0c55", 84),
        ("\u0c15", "\u0c56", 91),
        ("\u0e01", "\u0e38", 103),
        ("\u0e01", "\u0e48", 107),
        ("\u0e81", "\u0eb8", 118),
        ("\u0e81", "\u0ec8", 122),
        ("\u0f40", "\u0f71", 129),
        ("\u0f40", "\u0f72", 130),
        ("\u0f40", "\u0f74", 132),
    ],
)
def test_marks_that_make_another_letter_stay(letter: str, mark: str, combining: int) -> None:
    assert unicodedata.combining(mark) == combining
    assert words_of(letter + mark) != words_of(letter)
    assert [len(word) for word in words_of(letter + mark + letter)] == [len(normalized(letter + mark + letter))]


@pytest.mark.parametrize(("letter", "mark"), [("\u05d0", "\u05b0"), ("\u0628", "\u064e"), ("e", "\u0301")])
def test_marks_that_only_tell_how_to_say_a_letter_go(letter: str, mark: str) -> None:
    assert words_of(letter + mark) == words_of(letter)


def normalized(text: str) -> str:
    return unicodedata.normalize("NFC", text)
