"""What a query is taken for: corrections, beginnings, words apart and together, synonyms."""

from __future__ import annotations

from tests.retrieve.search.shelves import alternatives, meant

from homefeed.retrieve.search.understanding import MAX_TERMS, Alternative, Concept


def test_known_words_are_themselves_in_their_order() -> None:
    assert meant("Red SHOES", ["red shoe", "blue shoes"]) == [
        Concept("Red", ("red",), (Alternative(("red",), 1.0),), 0, 3),
        Concept("SHOES", ("shoe",), (Alternative(("shoe",), 1.0),), 4, 9, is_head=True),
    ]


def test_small_and_repeated_words_tell_nothing() -> None:
    names = ["shoe for the kid", "the who"]
    assert alternatives("shoes for the shoe of Kids shoes", names) == [{"shoe": 1.0}, {"kid": 1.0}]
    assert alternatives("the", names) == [{"the": 1.0}]


def test_signs_alone_mean_nothing() -> None:
    assert meant("?! -- \x00 😀", ["red shoe"]) == []


def test_what_nothing_will_do_for_is_kept() -> None:
    assert meant("zzyzx shoe", ["shoe"]) == [
        Concept("zzyzx", ("zzyzx",), (), 0, 5),
        Concept("shoe", ("shoe",), (Alternative(("shoe",), 1.0),), 6, 10, is_head=True),
    ]


def test_of_a_very_long_query_only_the_first_words_count() -> None:
    words = [f"{letter}{other}x" for letter in "abcdefgh" for other in "abcdefgh"]
    concepts = meant(" ".join(words * 20), ["shoe"])
    assert [concept.typed for concept in concepts] == words[:MAX_TERMS]


def test_misspelt_words_are_the_closest_there_are() -> None:
    names = ["refrigerator", "charger", "ranger"]
    assert alternatives("refrigrator new", names)[0] == {"refrigerator": 0.8}
    assert alternatives("refigrator new", names)[0] == {"refrigerator": 0.6}
    assert alternatives("chrager new", names)[0] == {"charger": 0.8}, "letters that changed places are one edit"
    assert alternatives("refxgxrator new", names)[0] == {}, "three edits are too many"
    assert alternatives("chargur new", ["charger", "changer"])[0] == {"charger": 0.8}, (
        "what is further off is not meant"
    )


def test_what_is_misspelt_may_look_like_a_plural_or_be_one() -> None:
    names = ["wireless mouse", "wired mouse", "wired lamp", "headphones"]
    assert alternatives("wireles new", names)[0] == {"wireless": 0.8}
    assert alternatives("hedphones new", names)[0] == {"headphone": 0.8}


def test_short_words_have_one_misspelt_letter_at_most() -> None:
    assert alternatives("hsoe x", ["shoe"])[0] == {"shoe": 0.8}
    assert alternatives("shxx x", ["shoe"])[0] == {}
    assert alternatives("sx x", ["sxy", "so"])[0] == {}
    assert alternatives("sox x", ["so"])[0] == {}, "of two letters there are too many"


def test_numbers_are_not_misspelt() -> None:
    assert alternatives("1499 1498.5", ["1498 mah"]) == [{}, {}]
    assert alternatives("mahh x", ["1498 mah", "mahx1"])[0] == {"mah": 0.8, "mahx": 0.8}


def test_three_corrections_at_most_by_first_letter_and_frequency() -> None:
    names = ["cat", "hat", "rat", "rat", "mat", "mat"]
    assert list(alternatives("bat x", names)[0]) == ["mat", "rat", "cat"]
    assert list(alternatives("bat x", [*names, "bet"])[0]) == ["bet"], "the first letter is seldom wrong"


def test_what_is_meant_is_weighed_by_how_often_items_have_it() -> None:
    names = ["headpone", *["headphone"] * 200]
    assert alternatives("headfones x", names)[0] == {"headphone": 0.6}, "291 against one, though an edit further"
    assert alternatives("headfones x", ["headpone", "headphone"])[0] == {"headpone": 0.8}


def test_what_one_item_misspells_is_not_all_that_is_meant() -> None:
    names = ["headpone x", *["headphone"] * 100]
    assert alternatives("headpone x", names)[0] == {"headpone": 1.0, "headphone": 0.8}
    assert alternatives("headpone x", names[:50])[0] == {"headpone": 1.0}, "not so rare that it must be wrong"


def test_the_last_word_may_be_but_begun() -> None:
    names = ["badminton net", "badminton", "badge"]
    assert alternatives("net badmin", names)[1] == {"badminton": 0.8}
    assert list(alternatives("bad", names)[0]) == ["badminton", "badge"]
    assert alternatives("badmin net", names)[0] == {}
    assert alternatives("ba", names) == [{}], "of two letters nobody can tell"


def test_a_beginning_that_looks_like_a_plural_is_none() -> None:
    assert list(alternatives("dres", ["dress", "dream"])[0]) == ["dress"]
    assert list(alternatives("wireles", ["wireless", "wirele"])[0]) == ["wirele"], "items have it as a word"
    assert list(alternatives("headphon", ["headphones"])[0]) == ["headphone"]


def test_a_beginning_has_eight_ends_at_most() -> None:
    names = [f"shoe{letter}" for letter in "abcdefghij"] + ["shoej"]
    assert list(alternatives("sho", names)[0]) == ["shoej", *(f"shoe{letter}" for letter in "abcdefg")]


def test_two_words_may_be_one() -> None:
    names = ["pendrive", "pen", "drive"]
    assert alternatives("Pen Drives", names) == [{"pen drive": 1.0, "pendrive": 1.0, "pen": 0.4, "drive": 0.4}]
    (concept,) = meant("Pen Drives", names)
    assert concept.typed == "Pen Drives"
    assert [other.share for other in concept.alternatives] == [1.0, 1.0, 0.4, 0.4]


def test_two_words_that_items_seldom_write_as_one_stay_two() -> None:
    assert len(alternatives("car pets", ["car pet", "car pet", "pet car", "carpet"])) == 2
    assert len(alternatives("car pets", ["car pet", "pet car", "carpet"])) == 1
    assert alternatives("2 4", ["24 pack", "2", "4"]) == [{"2": 1.0}, {"4": 1.0}], "two numbers are not one"


def test_one_word_may_be_two() -> None:
    assert alternatives("airconditioner x", ["air conditioner", "air"])[0] == {"air conditioner": 1.0}
    assert "foot ballet" not in alternatives("footballet x", ["ballet foot", "foot with ballet"])[0], (
        "not in a row"
    )


def test_short_words_may_be_one() -> None:
    assert alternatives("hifi", ["Hi-Fi stereo"]) == [{"hi fi": 1.0}]
    assert alternatives("tshirt x", ["t-shirt"])[0] == {"t shirt": 1.0, "shirt": 0.8}


def test_a_table_that_knows_a_word_hides_no_spelling_of_it() -> None:
    table = "keyboard, keypad\nsofa => couch"
    assert alternatives("keyboard", ["key board cover", "key"], table)[0] == {
        "keyboard": 1.0,
        "key board": 1.0,
        "keypad": 0.7,
    }
    names = ["key board cover", "keyboard"]
    assert alternatives("keyboard", names, table) == [{"keyboard": 1.0, "keypad": 0.7, "key board": 0.7}]
    assert alternatives("sofa", ["sofia"], table) == [{"sofa": 1.0, "sofia": 0.8, "couch": 0.7}]


def test_the_more_frequent_of_two_ways_to_split_counts() -> None:
    names = ["bookend story", "book endstory", "the book endstory", "bookend", "story"]
    first, *_ = alternatives("bookendstory x", names)[0]
    assert first == "book endstory"


def test_synonyms_count_less_than_what_was_typed() -> None:
    table = "sofa, couch, settee bed"
    assert alternatives("sofas", ["couch", "sofa"], table) == [{"sofa": 1.0, "couch": 0.7, "settee bed": 0.7}]
    assert alternatives("sofa", ["couch"], table) == [{"sofa": 1.0, "couch": 0.7, "settee bed": 0.7}]


def test_synonyms_of_a_correction_and_of_a_beginning_count_less_again() -> None:
    table = "sofa, couch"
    assert alternatives("soffa x", ["sofa", "couch"], table)[0] == {"sofa": 0.8, "couch": 0.8 * 0.7}
    assert alternatives("sof", ["sofa", "couch"], table) == [{"sofa": 0.8, "couch": 0.8 * 0.7}]


def test_phrases_of_the_table_are_found_the_longest_first() -> None:
    table = "tempered glass, filter guard\nglass, tumbler\nchest of drawers, dresser\ncrew neck t shirt => tee"
    assert alternatives("new tempered glasses", ["glass"], table) == [
        {},
        {"tempered glass": 1.0, "filter guard": 0.7, "tempered": 0.4, "glass": 0.4},
    ]
    assert list(alternatives("chest of drawers", ["dresser"], table)[0])[:2] == ["chest drawer", "dresser"]
    assert len(alternatives("crew neck t-shirt glass", ["tee"], table)) == 2


def test_a_word_of_a_phrase_that_is_its_synonym_is_all_of_it() -> None:
    (concept,) = meant("hair oil", ["oil"], "hair oil => oil")
    assert [(other.phrase, other.weight, other.share) for other in concept.alternatives] == [
        (("hair", "oil"), 1.0, 1.0),
        (("oil",), 0.7, 1.0),
        (("hair",), 0.4, 0.4),
    ]


def test_synonyms_of_the_joined_word_are_those_of_the_two() -> None:
    table = "pendrive, flash drive"
    (others,) = alternatives("pen drive", ["pendrive"], table)
    assert others == {"pen drive": 1.0, "pendrive": 1.0, "flash drive": 0.7, "pen": 0.4, "drive": 0.4}


def test_where_nothing_has_all_words_they_may_be_meant_otherwise() -> None:
    names = ["yoga mat", "matt eraser", "eraser"]
    assert alternatives("yoga matt", names) == [{"yoga": 1.0}, {"matt": 1.0, "mat": 0.5}]
    assert alternatives("matt eraser", names) == [{"matt": 1.0}, {"eraser": 1.0}], "there is such a thing"
    assert alternatives("matt", names) == [{"matt": 1.0}], "a word alone is itself"
    assert alternatives("soft yoga matt eraser", [*names, "soft"])[2] == {"matt": 1.0}, "the query is too long"


def test_what_will_do_for_a_word_is_a_having_of_it() -> None:
    names = ["yoga mat", "couch mat", "matt eraser"]
    told = meant("sofa mat", names, "sofa, couch")
    assert [other.phrase for other in told[1].alternatives] == [("mat",)], "a couch is a sofa"


def test_only_single_words_that_items_have_are_meant_otherwise_by_one_letter() -> None:
    assert alternatives("garden plonket", ["garden blanket", "plonket pen"]) == [{"garden": 1.0}, {"plonket": 1.0}]
    assert alternatives("garden planket", ["garden blanket", "planket pen"])[1] == {"planket": 1.0, "blanket": 0.5}
    names = ["tempered glass", "temperet mat", "matt"]
    assert alternatives("tempered glass matt", names, "tempered glass, guard") == [
        {"tempered glass": 1.0, "guard": 0.7, "tempered": 0.4, "glass": 0.4},
        {"matt": 1.0, "mat": 0.5},
    ]


def test_only_words_of_four_letters_are_meant_otherwise_and_by_no_rarer_ones() -> None:
    assert alternatives("usb hub", ["usb", "use", "hub", "hut"]) == [{"usb": 1.0}, {"hub": 1.0}]
    names = ["memory", *["sticky"] * 2, *["stick"] * 3]
    assert alternatives("memory stick", names)[1] == {"stick": 1.0}


def test_a_number_with_its_unit_is_one_thing_of_which_items_may_have_a_part() -> None:
    names = ["tv 65 inches", "UA43AUE65AKXXL tv", "tv 43"]
    assert alternatives("65-inch tv", names)[0] == {"65inch": 1.0, "65 inch": 1.0, "65": 0.4, "inch": 0.4}
    assert alternatives("1 litre", ["milk 1000ml", "2.0 L"])[0] == {"1l": 1.0, "1": 0.4, "litre": 0.4}


def test_the_name_of_a_model_is_one_thing() -> None:
    names = ["UA43AUE65AKXXL tv", "WH-1000XM4 headphones"]
    assert list(alternatives("ua43aue65akxxl", names)[0])[:2] == ["ua43aue65akxxl", "ua"]
    assert "ua43aue65akxxl" in alternatives("ua43", names)[0], "or its beginning"
    assert alternatives("wh1000xm4", names)[0]["wh 1000 xm 4"] == 1.0


def test_other_signs_are_other_things() -> None:
    names = ["c++ primer", "c# primer", "c primer"]
    assert alternatives("c++ book", names)[0] == {"c++": 1.0}
    assert alternatives("c# book", names[:1])[0] == {"c": 0.4}, "where nobody writes it so"


def test_a_script_without_spaces_is_read_in_pairs_of_letters() -> None:
    names = ["无线蓝牙耳机"]
    assert alternatives("耳机", names) == [{"耳机": 1.0}]
    assert alternatives("蓝牙耳机", names) == [{"蓝牙": 1.0}, {"牙耳": 1.0}, {"耳机": 1.0}]
