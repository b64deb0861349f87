"""Terms: plurals are no other words, small words tell nothing."""

from __future__ import annotations

import pytest

from homefeed.retrieve.search.analysis import query_words, stem


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


def terms(text: str) -> dict[str, str]:
    return {word.term: word.typed for word in query_words(text)}


def test_the_terms_of_a_query_come_with_the_words_that_were_typed() -> None:
    assert terms("Shoes for the Kids") == {"shoe": "Shoes", "kid": "Kids"}
    assert terms("shoe SHOES shoe") == {"shoe": "shoe"}
    assert terms("Cœur de Zeta™") == {"coeur": "Cœur", "de": "de", "zeta": "Zeta"}


def test_small_words_count_where_there_are_no_others() -> None:
    assert terms("the") == {"the": "the"}
    assert terms("on and on") == {"on": "on", "and": "and"}
    assert terms("!") == {}


def test_what_is_made_of_several_has_parts() -> None:
    (word,) = query_words(" 16 GB")
    assert (word.term, word.typed, word.start, word.end) == ("16gb", "16 GB", 1, 6)
    assert [(part.term, part.typed) for part in word.parts] == [("16", "16"), ("gb", "GB")]
