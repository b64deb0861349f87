"""Near-duplicates: which texts are joined, and that groups depend on the texts that stand and on nothing else."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.catalog import near_duplicates
from homefeed.catalog.near_duplicates import NearDuplicates

LOST = (
    "Lost cat near the main gate, grey with white paws, answers to Momo, please call me if you see her anywhere "
    "on campus tonight"
)
BICYCLE = "Selling a used bicycle, good condition, pick up in block A"


def grouped(*texts: str, **limits: float) -> list[int]:
    near = NearDuplicates(**limits)  # type: ignore[arg-type]
    for position, text in enumerate(texts):
        near.set(position, text)
    return listed(near)


def listed(near: NearDuplicates) -> list[int]:
    values: list[int] = near.groups.tolist()
    return values


def shingles(text: str, size: int = 2, min_words: int = 6) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    if len(words) < max(size, min_words):
        whole = " ".join(words) or text.strip()
        return frozenset([("whole", whole)] if whole else [])
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def jaccard(one: str, two: str) -> float:
    a, b = shingles(one), shingles(two)
    return len(a & b) / len(a | b) if a | b else 0.0


def by_all_pairs(texts: Mapping[int, str], size: int, similarity: float = 0.6) -> list[int]:
    """The connected components of all pairs that are alike enough, compared one with another."""
    values = list(range(size))
    for one, two in itertools.combinations(sorted(texts), 2):
        if jaccard(texts[one], texts[two]) >= similarity and values[one] != values[two]:
            kept, lost = sorted((values[one], values[two]))
            values = [kept if value == lost else value for value in values]
    return values


def random_text(rng: random.Random, words: int = 40) -> list[str]:
    return [f"w{rng.randrange(5000)}" for _ in range(words)]


def edited(rng: random.Random, words: Sequence[str], changes: int) -> str:
    changed = list(words)
    for where in rng.sample(range(len(changed)), changes):
        changed[where] = f"new{rng.randrange(10**9)}"
    return " ".join(changed)


@pytest.mark.parametrize(
    "repost",
    [
        LOST.upper() + "!!",
        LOST.replace("main", "north").replace("call", "message"),
        "REPOST: " + LOST,
        LOST + " (still missing on Sunday)",
        "Please call me if you see her anywhere on campus tonight! Lost cat near the main gate, grey with white "
        "paws, answers to Momo.",
    ],
    ids=["case and marks", "two words changed", "a word in front", "words at the end", "sentences change places"],
)
def test_a_repost_joins(repost: str) -> None:
    assert grouped(LOST, repost) == [0, 0]


@pytest.mark.parametrize(
    "other",
    [
        "Is she still missing? I saw a cat with white paws, grey with a red collar, near the library on Monday",
        "Found a set of keys near the main gate, please call me if you lost them, ask for Ana at the desk",
        LOST.split(",", maxsplit=1)[0],
    ],
    ids=["a reply with its phrases", "another post with its phrases", "its first words alone"],
)
def test_what_shares_a_phrase_does_not_join(other: str) -> None:
    assert grouped(LOST, other) == [0, 1]


@pytest.mark.parametrize(
    ("advert", "alike", "joined"),
    [
        ("Selling a used sofa, good condition, pick up in block A", 8 / 12, True),
        ("Selling a used sofa, good condition, pick up in block C", 7 / 13, False),
        ("Selling a used sofa, some scratches, pick up in block C", 5 / 15, False),
    ],
    ids=["one word differs", "two words differ", "three places differ"],
)
def test_where_the_limit_falls_among_adverts_filled_in_from_one_form(
    advert: str, alike: float, joined: bool
) -> None:
    assert jaccard(BICYCLE, advert) == pytest.approx(alike)
    assert grouped(BICYCLE, advert) == ([0, 0] if joined else [0, 1])


def test_a_pair_exactly_at_the_limit_joins() -> None:
    one, two = "a b c d e f", "x b c d e f"  # 4 of 6 shingles
    assert grouped(one, two, similarity=4 / 6) == [0, 0]
    assert grouped(one, two, similarity=np.nextafter(4 / 6, 1)) == [0, 1]


def test_a_group_is_a_chain_of_pairs() -> None:
    words = [f"w{i}" for i in range(40)]
    chain = [" ".join([f"x{i}" for i in range(changed)] + words[changed:]) for changed in (0, 6, 12)]
    assert jaccard(chain[0], chain[2]) < 0.6 < jaccard(chain[0], chain[1])
    assert grouped(*chain) == [0, 0, 0]
    assert grouped(chain[0], chain[2]) == [0, 1]


def test_short_texts_join_only_when_equal_word_for_word() -> None:
    assert grouped("Good morning!", "good MORNING", "morning good", "good morning all", "Good morning") == [
        0,
        0,
        2,
        3,
        0,
    ]
    assert grouped("one two three four five", "one two three four six") == [0, 1]


def test_what_is_repeated_counts_once() -> None:
    assert grouped("tea cup " * 4, "tea cup " * 40, "cup tea " * 9) == [0, 0, 0]
    assert grouped("a cup of tea " * 2, "a cup of tea " * 30, "a cup of milk " * 2) == [0, 0, 2]


def test_a_short_text_is_never_near_a_long_one() -> None:
    assert grouped("spam", "spam " * 10, "spam spam", "spam " * 20) == [0, 1, 2, 1]
    assert grouped("spam", "spam", "ham", min_words=1, shingle=1) == [0, 0, 2]


@pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
def test_empty_texts_never_group(empty: str) -> None:
    assert grouped(empty, empty, empty) == [0, 1, 2]


def test_signs_without_words_join_only_when_equal() -> None:
    assert grouped("🎉🎉", " 🎉🎉 ", "🎉", "\ud800", "\ud800") == [0, 0, 2, 3, 3]


def test_longer_shingles_ask_for_as_many_words() -> None:
    assert grouped("a b c", "a b c", "a b c d", "a b c e", shingle=5, min_words=1) == [0, 0, 2, 3]


def test_an_edit_leaves_the_old_group_and_joins_the_new() -> None:
    near = NearDuplicates()
    near.set_many([0, 1, 2, 3], [LOST, LOST + "!", BICYCLE, LOST])
    assert listed(near) == [0, 0, 2, 0]
    near.set(1, BICYCLE)
    assert listed(near) == [0, 1, 1, 0]
    near.set(0, "")
    assert listed(near) == [0, 1, 1, 3]
    near.set(1, LOST)
    assert listed(near) == [0, 1, 2, 1]


def test_the_same_text_again_changes_nothing() -> None:
    near = NearDuplicates()
    near.set_many([0, 1, 0, 1], [LOST, LOST, LOST.upper(), LOST])
    assert listed(near) == [0, 0]


def test_an_earlier_copy_becomes_the_value_of_the_whole_group() -> None:
    near = NearDuplicates()
    near.set_many([5, 6, 1, 0], [LOST, "oh " + LOST, "oh " + LOST, LOST + " please"])
    assert listed(near) == [0, 0, 2, 3, 4, 0, 0]


def test_removing_the_earliest_leaves_the_others_together() -> None:
    near = NearDuplicates()
    near.set_many(range(4), [LOST, "oh " + LOST, LOST + " please", LOST])
    near.remove(0)
    assert listed(near) == [0, 1, 1, 1]
    near.remove(1)
    assert listed(near) == [0, 1, 2, 2]


def test_removing_the_link_parts_the_others() -> None:
    words = [f"w{i}" for i in range(40)]
    chain = [" ".join([f"x{i}" for i in range(changed)] + words[changed:]) for changed in (0, 6, 12, 18, 24)]
    near = NearDuplicates()
    near.set_many(range(6), [*chain, chain[2]])
    assert listed(near) == [0] * 6
    near.remove(2)
    assert listed(near) == [0, 0, 2, 0, 0, 0], "the copy still links them"
    near.remove(5)
    assert listed(near) == [0, 0, 2, 3, 3, 5]
    near.set(5, chain[2])
    assert listed(near) == [0, 0, 2, 0, 0, 0]


def test_removing_what_is_not_there_does_nothing() -> None:
    near = NearDuplicates()
    near.set_many([0, 2], [LOST, LOST])
    for position in (-1, 1, 3, 2, 2):
        near.remove(position)
    assert listed(near) == [0, 1, 2]


def test_positions_between_stand_alone_and_no_text_is_lost_as_it_grows() -> None:
    near = NearDuplicates()
    near.set(5000, LOST)
    near.set(3, LOST)
    near.set(20_000, LOST)
    expected = np.arange(20_001)
    expected[[3, 5000, 20_000]] = 3
    np.testing.assert_array_equal(near.groups, expected)


def test_groups_is_a_read_only_view() -> None:
    near = NearDuplicates()
    near.set_many([0, 1], [LOST, BICYCLE])
    view = near.groups
    assert view.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    near.set(1, LOST)
    assert view.tolist() == [0, 0]
    assert NearDuplicates().groups.tolist() == []


def test_what_is_refused() -> None:
    for similarity, shingle, min_words in ((0, 2, 6), (1.01, 2, 6), (0.6, 0, 6), (0.6, 2, 0)):
        with pytest.raises(ValueError, match="expected"):
            NearDuplicates(similarity, shingle, min_words)
    near = NearDuplicates()
    with pytest.raises(IndexError, match="-1"):
        near.set(-1, LOST)
    with pytest.raises(ValueError, match="2 positions, 1 texts"):
        near.set_many([0, 1], [LOST])
    near.set_many([], [])
    assert listed(near) == []


@pytest.mark.parametrize("similarity", [0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999, 1.0])
def test_the_bands_find_a_pair_at_the_limit(similarity: float) -> None:
    near = NearDuplicates(similarity)
    assert near.chance(similarity) >= 0.95
    assert near.chance(min(1.0, similarity + 0.1)) > 0.99 or similarity < 0.2
    near.set_many([0, 1], [LOST, LOST.upper()])
    assert listed(near) == [0, 0]


def test_the_bands_at_the_usual_limit() -> None:
    near = NearDuplicates()
    assert (near.bands, near.rows) == (14, 3)
    assert near.chance(0.6) > 0.95
    assert near.chance(0.7) > 0.99


@pytest.mark.parametrize(("words", "changed", "similarity"), [(33, 7, 0.6), (35, 5, 0.7)])
def test_pairs_are_found_as_often_as_computed(words: int, changed: int, similarity: float) -> None:
    rng = random.Random(3)
    near = NearDuplicates()
    pairs = 3000
    for pair in range(pairs):
        text = [f"p{pair}w{i}" for i in range(words)]
        other = [*text[:10], *(f"p{pair}x{i}" for i in range(changed)), *text[10 + changed :]]
        assert pair or jaccard(" ".join(text), " ".join(other)) == similarity
        rng.shuffle(both := [" ".join(text), " ".join(other)])
        near.set_many([2 * pair, 2 * pair + 1], both)
    found = float((near.groups[::2] == near.groups[1::2]).mean())
    assert found > (0.95 if similarity == 0.6 else 0.99)
    assert found == pytest.approx(near.chance(similarity), abs=0.015)


def test_unlike_texts_are_all_apart() -> None:
    rng = random.Random(4)
    form = [f"form{i}" for i in range(20)]
    texts = [" ".join([*form, *random_text(rng, 14)]) for _ in range(300)]  # half alike: often proposed
    assert grouped(*texts) == list(range(300))


LETTERS = "abcdefghijklmnopqrst"
WINDOWS = st.builds(
    lambda start, length: " ".join(LETTERS[start : start + length]), st.integers(0, 12), st.integers(5, 8)
)
SMALL_TEXTS = st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join) | WINDOWS
ACTS = st.lists(st.tuples(st.integers(0, 9), st.none() | SMALL_TEXTS), max_size=30)


@pytest.fixture(scope="module")
def _nothing_missed() -> Iterable[None]:
    """Enough bands, of one row each, that a pair at the limit is missed once in a million million times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "_MISSES", 1e-12)
        patch.setattr(near_duplicates, "_MOST_BANDS", 31)
        assert (NearDuplicates().bands, NearDuplicates().rows) == (31, 1)
        yield


@pytest.mark.usefixtures("_nothing_missed")
@settings(max_examples=300)
@given(acts=ACTS)
def test_groups_are_the_components_of_all_alike_pairs(acts: list[tuple[int, str | None]]) -> None:
    near, texts = NearDuplicates(), dict[int, str]()
    for position, text in acts:
        if text is None:
            near.remove(position)
            texts.pop(position, None)
        else:
            near.set(position, text)
            texts[position] = text
        assert listed(near) == by_all_pairs(texts, len(near.groups))


@st.composite
def alike_texts(draw: st.DrawFn) -> list[str]:
    """Edited copies of a few texts, many of them near the limit, where the index misses some."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    bases = [random_text(rng, 30) for _ in range(3)]
    return [edited(rng, rng.choice(bases), rng.randrange(5)) for _ in range(draw(st.integers(0, 25)))]


@given(texts=alike_texts(), order=st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_in_which_texts_came(texts: list[str], order: random.Random) -> None:
    straight, shuffled = NearDuplicates(), NearDuplicates()
    straight.set_many(range(len(texts)), texts)
    positions = list(range(len(texts)))
    order.shuffle(positions)
    for position in positions:
        shuffled.set(position, order.choice(texts))
    for position in positions:
        shuffled.set(position, texts[position])
    assert listed(straight) == listed(shuffled)


@given(texts=alike_texts(), data=st.data())
def test_many_at_once_are_as_one_by_one(texts: list[str], data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, 12), min_size=len(texts), max_size=len(texts)))
    many, single = NearDuplicates(), NearDuplicates()
    many.set_many(positions, texts)
    for position, text in zip(positions, texts, strict=True):
        single.set(position, text)
    assert listed(many) == listed(single)


def test_many_at_once_are_as_one_by_one_over_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_MOST_KNOWN_WORDS", 100)
    rng = random.Random(5)
    texts = [
        edited(rng, words, changes) for words in (random_text(rng) for _ in range(900)) for changes in (2, 3, 6)
    ]
    many, single = NearDuplicates(), NearDuplicates()
    many.set_many(np.arange(len(texts)).tolist(), texts)
    for position, text in enumerate(texts):
        single.set(position, text)
    assert listed(many) == listed(single)


def test_of_a_chain_only_neighbours_are_near_duplicates() -> None:
    near = NearDuplicates()
    words = [f"w{n}" for n in range(31)]
    # Each shares 18 of 26 pairs of words with the next (0.69), and the first 14 of 30 with the last (0.47).
    near.set_many(range(3), [" ".join(words[start : start + 23]) for start in (0, 4, 8)])
    assert listed(near) == [0, 0, 0]
    assert [near.of(position).tolist() for position in range(3)] == [[0, 1], [0, 1, 2], [1, 2]]
    near.set(3, " ".join(words[:23]))
    assert [near.of(position).tolist() for position in range(4)] == [[0, 1, 3], [0, 1, 2, 3], [1, 2], [0, 1, 3]]
    near.remove(1)
    assert [near.of(position).tolist() for position in range(5)] == [[0, 3], [1], [2], [0, 3], [4]]


@pytest.mark.parametrize("text", ["a bicycle for sale in good order with new brakes", "a bicycle", "!"])
def test_texts_of_different_partitions_are_no_near_duplicates(text: str) -> None:
    near = NearDuplicates()
    near.set_many(range(5), [text] * 5, ["north", "south", "north", "", "North"])
    assert listed(near) == [0, 1, 0, 3, 4]
    near.set(1, text, "north")
    assert [near.of(position).tolist() for position in range(5)] == [[0, 1, 2], [0, 1, 2], [0, 1, 2], [3], [4]]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.lists(st.sampled_from("abcdefgh"), min_size=5, max_size=9), st.sampled_from("NS")
        ),
        min_size=1,
        max_size=40,
    )
)
def test_near_duplicates_are_those_alike_in_the_same_partition(acts: list[tuple[int, list[str], str]]) -> None:
    near, texts = NearDuplicates(), {}
    for place, words, partition in acts:
        texts[place] = " ".join(words), partition
        near.set(place, *texts[place])
        groups = listed(near)
        for one, (text, part) in texts.items():
            alike = [
                other
                for other, (its, its_part) in texts.items()
                if groups[other] == groups[one] and part == its_part and jaccard(text, its) >= 0.6
            ]
            assert near.of(one).tolist() == sorted(alike)


def test_the_words_that_are_remembered_meanwhile_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_MOST_KNOWN_WORDS", 3)
    monkeypatch.setattr(near_duplicates, "_BATCH", 1)
    near, remembered = NearDuplicates(), []
    shingled = near._shingles

    def watched(
        texts: Sequence[str], partitions: Sequence[str], hashes: near_duplicates._WordHashes
    ) -> list[bytes]:
        remembered.append(len(hashes))
        return shingled(texts, partitions, hashes)

    monkeypatch.setattr(near, "_shingles", watched)
    words = [f"w{n}" for n in range(14)]
    near.set_many(range(3), [" ".join(words[:3]), " ".join(words[:7]), " ".join(words[7:])])
    assert remembered == [0, 3, 0]


IN_ANOTHER_PROCESS = """
import random
from homefeed.catalog.near_duplicates import NearDuplicates
rng = random.Random(6)
texts = []
for _ in range(400):
    words = [f"w{rng.randrange(5000)}" for _ in range(30)]
    for _ in range(2):
        changed = list(words)
        for where in rng.sample(range(30), 3):
            changed[where] = f"new{rng.randrange(10**9)}"
        texts.append(" ".join(changed))
near = NearDuplicates(similarity=0.5)
near.set_many(range(len(texts)), texts)
print(near.groups.tolist())
"""


def test_groups_are_the_same_in_every_process() -> None:
    answers = set()
    for hash_seed, kernel in (("0", "scalar"), ("1", "avx2"), ("2", "neon")):  # one it cannot use is passed over
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "RENSA_FORCE_KERNEL": kernel}
        command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
        answers.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(answers) == 1
    values = np.array(json.loads(answers.pop()))
    joined = (values != np.arange(len(values))).sum()
    assert 0 < joined < 400, "some pairs are under the limit or missed, so that chance would show"


def test_others_may_read_while_one_writes() -> None:
    near, wrong, done = NearDuplicates(), list[str](), threading.Event()

    def read() -> None:
        while not done.is_set():
            values = near.groups
            if not ((values >= 0) & (values <= np.arange(len(values)))).all():
                wrong.append(str(values))

    reader = threading.Thread(target=read)
    reader.start()
    rng = random.Random(8)
    words = random_text(rng)
    for position in range(3000):
        near.set(position, edited(rng, words, 1) if position % 10 == 0 else f"alone {position}")
        if position % 40 == 0:
            near.remove(position // 2)
    done.set()
    reader.join()
    assert wrong == []


def test_accents_make_no_other_text() -> None:
    assert grouped(LOST, LOST.replace("e", "\u00e9")) == [0, 0]


def test_a_text_without_spaces_has_near_duplicates() -> None:
    text = "出售二手自行车车况良好请到甲座取车价格面议有意者请联系我"
    assert grouped(text, text + "谢谢", "完全不同的一段文字说的是别的事情和别的东西") == [0, 0, 2]
