"""Words: what is compared of a text, in any script, and where it stands."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.words import runs_of, tokens_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("16GB Pen-Drives", ["16gb", "16", "gb", "pen", "drives"]),
        ("Crème BRÛLÉE, Ångström", ["creme", "brulee", "angstrom"]),
        ("men's women\u2019s Levi's kids'", ["men", "women", "levi", "kids"]),
        ("it's a_snake/case", ["it", "a", "snake", "case"]),
        ("USB3.0 1.5L 5.5.5", ["usb3", "usb", "3", "1.5l", "1.5", "l", "5.5.5"]),
        ("10,000mAh 1,00,000 10000mAh", ["10000mah", "10000", "mah", "100000", "10000mah", "10000", "mah"]),
        ("2,3,4 1,5 1,0000", ["2", "3", "4", "1", "5", "1", "0000"]),
        ("x² ½ ① Ⅷ ﬁne \uff11\uff12", ["x2", "x", "2", "1", "2", "1", "viii", "fine", "12"]),
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
        ("バス ハス ﾊﾞｽ", ["バス", "バ", "ス", "ハス", "ハ", "ス", "バス", "バ", "ス"]),  # a bus is no lotus
        ("한국어 신발", ["한국어", "신발"]),
        ("العَرَبِيَّة العربية", ["العربية", "العربية"]),  # points that people leave out
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("Ελλάδα ЁЛКА елка", ["ελλαδα", "елка", "елка"]),
        ("क़लम क़लम", ["कलम", "कलम"]),
    ],
)
def test_words_of_other_scripts_stay_whole(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.0 3 3.00", ["3"]),
        (".5 0.5 0,5 0.50", ["0.5"]),
        ("1l 1 L 1 litre 1-liter 1.0 ltr 1000ml 1,000 ml", ["1l"]),
        ("0,5mm .5 mm 0.50mm", ["0.05cm"]),
        ("43 inches 43-inch 43\" 43\u201d 43''", ["43inch"]),
        ("1,5 kg 1.5kg 1500 g 1500gms", ["1.5kg"]),
        ("16GB 16 gb", ["16gb"]),
        ("2kW 2000 watts", ["2000w"]),
    ],
)
def test_numbers_are_compared_by_what_they_are_worth(text: str, found: list[str]) -> None:
    assert list(dict.fromkeys(token.word for token in tokens_of(text))) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("007", ["007"]),
        ("2,3,4", ["2", "3", "4"]),
        ("6,7", ["6", "7"]),
        ("5.5.0", ["5.5.0"]),
        ("5 in 1", ["5", "in", "1"]),
    ],
)
def test_codes_lists_and_versions_are_no_amounts(text: str, found: list[str]) -> None:
    assert words_of(text) == found


def test_signs_that_are_part_of_a_name_stay() -> None:
    assert words_of("C++ c# notepad++ C") == ["c++", "c", "c#", "c", "notepad++", "notepad", "c"]
    assert words_of("50+ a#1 1+1 rock + roll") == ["50", "a", "1", "1", "1", "rock", "roll"]


def test_the_name_of_a_model_is_a_word_and_its_numbers_are_none() -> None:
    assert words_of("UA43AUE65AKXXL") == ["ua43aue65akxxl", "ua", "aue", "akxxl"]
    assert words_of("iPhone14 WH-1000XM4") == ["iphone14", "iphone", "14", "wh", "1000xm4", "1000", "xm", "4"]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Cœur", "coeur"),
        ("Łódź", "lodz"),
        ("Smørrebrød", "smorrebrod"),
        ("Straße", "strasse"),
        ("Æon", "aeon"),
        ("Zeta™", "zeta"),
        ("Zeta®Pro", "zeta pro"),
        ("Þór ÐÐ", "thor dd"),
        ("I\u011fd\u0131r", "igdir"),
        ("ـعـربـي", "عربي"),
    ],
)
def test_letters_that_people_write_otherwise_are_the_same(written: str, typed: str) -> None:
    assert words_of(written) == words_of(typed)


@pytest.mark.parametrize(
    ("thing", "word"),
    [
        ("无线蓝牙耳机", "耳机"),
        ("ワイヤレスイヤホン", "イヤホン"),
        ("หูฟังบลูทูธ", "บลูทูธ"),
        ("USB充电器", "充电器"),
        ("绿茶", "茶"),
    ],
)
def test_a_word_is_found_in_a_script_without_spaces(thing: str, word: str) -> None:
    assert set(words_of(word)) <= set(words_of(thing))


def test_in_a_script_without_spaces_letters_stand_in_pairs() -> None:
    assert [(token.word, token.place) for token in tokens_of("无线耳机")] == [
        ("无线", 0),
        ("线耳", 1),
        ("耳机", 2),
    ]
    assert [part.word for part in tokens_of("耳机")[0].parts] == ["耳", "机"]


def test_a_token_knows_what_was_written_and_where() -> None:
    text = "  Zeta™ Cœur, cafe\u0301s 10,000 mAh, 6,7"
    found = tokens_of(text)
    assert [text[token.start : token.end] for token in found] == [
        "Zeta",
        "Cœur",
        "cafe\u0301s",
        "10,000 mAh",
        "6",
        "7",
    ]
    assert [token.place for token in found] == [0, 1, 2, 3, 5, 6]
    assert [text[part.start : part.end] for part in found[3].parts] == ["10,000", "mAh"]


def test_runs_are_what_copies_have_alike() -> None:
    assert runs_of("A_snake, 16GB Café") == ["a_snake", "16gb", "cafe"]
    assert runs_of("无线 earbuds") == ["无", "线", "earbuds"]


@given(st.text())
def test_words_of_tokens_are_the_words(text: str) -> None:
    flat = [one.word for token in tokens_of(text) for one in token.words]
    assert flat == words_of(text)
    assert all(flat)
    places = [token.place for token in tokens_of(text)]
    assert places == sorted(places)
    for token in tokens_of(text):
        assert 0 <= token.start < token.end <= len(text)


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_letter_case_makes_no_difference(text: str) -> None:
    assert words_of(text.casefold()) == words_of(text)


@pytest.mark.parametrize("unit", ["a", "1,", "1,111", "1a", ".", "耳", "a+", "é", "1 ", "'", "9"])
def test_a_long_text_takes_time_by_its_length(unit: str) -> None:
    began = time.perf_counter()
    tokens_of(unit * (200_000 // len(unit)))
    assert time.perf_counter() - began < 20


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
    assert words_of(letter + mark + letter)[0] == normalized(letter + mark + letter)


@pytest.mark.parametrize(("letter", "mark"), [("\u05d0", "\u05b0"), ("\u0628", "\u064e"), ("e", "\u0301")])
def test_marks_that_only_tell_how_to_say_a_letter_go(letter: str, mark: str) -> None:
    assert words_of(letter + mark) == words_of(letter)


def normalized(text: str) -> str:
    return unicodedata.normalize("NFC", text)
