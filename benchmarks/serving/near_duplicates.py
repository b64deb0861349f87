"""What finding near-duplicates costs, and how many it finds. Prints one JSON line.

    python -m benchmarks.serving.near_duplicates --items 100000

The texts are 20 to 60 random words of a vocabulary of 5,000 by Zipf's law; a tenth are copies of an earlier one
with one to eight words changed, so that some fall under the limit. `planted` counts the copies at the limit or
above by exact similarity, `recall` is the share of them in one group with their original, and `wrong_pairs` counts
the pairs within a group that no chain of pairs at the limit joins.

`baseline` compares all pairs of the first 3,000 items exactly: its seconds, the pairs it groups, and how many of
them `NearDuplicates` misses and adds on the same items. `crowd` is one text in 5,000 versions with one word
changed each; `form` is 5,000 texts just under the limit, so that nearly all are compared and none joined: the
seconds to load them, and the milliseconds to take one out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from homefeed.catalog.near_duplicates import NearDuplicates

VOCABULARY, SUBSET, CROWD, SINGLE = 5_000, 3_000, 5_000, 2_000
LIMIT = 0.6


def main() -> None:
    """Measure one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    print(json.dumps(measure(parser.parse_args().items)), flush=True)


def measure(items: int) -> dict[str, object]:
    """One catalogue size."""
    rng = np.random.default_rng(1)
    texts, originals = make_texts(rng, items)
    more, _ = make_texts(rng, SINGLE)
    text = texts[0]
    filled = rng.integers(10**9, size=(CROWD, len(text.split()) // 3))
    near = NearDuplicates(LIMIT)
    before = _megabytes()
    start = time.perf_counter()
    near.set_many(range(items), texts)
    seconds = time.perf_counter() - start
    megabytes = _megabytes() - before
    found = accuracy(near.groups.copy(), texts, originals)
    single = []
    for position, text in enumerate(more, start=items):
        start = time.perf_counter()
        near.set(position, text)
        single.append(time.perf_counter() - start)
    return {
        "benchmark": "near_duplicates",
        "items": items,
        "load_seconds": round(seconds, 2),
        "megabytes": round(megabytes),
        "set_microseconds": {
            "p50": round(statistics.median(single) * 1e6),
            "p99": round(float(np.percentile(single, 99)) * 1e6),
        },
        **found,
        "baseline": baseline(texts[:SUBSET]),
        "crowd": many_alike([edited(rng, text.split(), 1) for _ in range(CROWD)]),
        "form": many_alike([f"{text} {' '.join(f'y{number}' for number in own)}" for own in filled]),
    }


def make_texts(rng: np.random.Generator, count: int) -> tuple[list[str], list[int]]:
    """Texts, and for each the one it was copied from; -1 for none."""
    spelling, letters = np.random.default_rng(0), np.array(list("abcdefghijklmnopqrstuvwxyz"))
    vocabulary = np.array(["".join(spelling.choice(letters, spelling.integers(3, 10))) for _ in range(VOCABULARY)])
    weights = 1 / np.arange(1, VOCABULARY + 1)
    lengths = rng.integers(20, 61, count)
    drawn = np.split(
        vocabulary[rng.choice(VOCABULARY, lengths.sum(), p=weights / weights.sum())], lengths.cumsum()
    )
    texts = [" ".join(words.tolist()) for words in drawn[:-1]]
    originals = [-1] * count
    for position in rng.choice(np.arange(1, count), count // 10, replace=False).tolist():
        originals[position] = original = int(rng.integers(position))
        texts[position] = edited(rng, texts[original].split(), int(rng.integers(1, 9)))
    return texts, originals


def edited(rng: np.random.Generator, words: list[str], changes: int) -> str:
    """The text with that many words changed."""
    for where in rng.choice(len(words), changes, replace=False).tolist():
        words[where] = f"x{rng.integers(10**9)}"
    return " ".join(words)


def shingles(text: str) -> frozenset[tuple[str, str]]:
    """Pairs of successive words, made without the code that is measured."""
    return frozenset(itertools.pairwise(re.findall(r"\w+", text.casefold())))


def jaccard(one: frozenset[tuple[str, str]], two: frozenset[tuple[str, str]]) -> float:
    """Similarity of two sets."""
    both = len(one & two)
    return both / (len(one) + len(two) - both)


def accuracy(groups: np.ndarray, texts: Sequence[str], originals: Sequence[int]) -> dict[str, object]:
    """How many planted copies were found, and which groups no chain of alike pairs joins."""
    sets = {position: shingles(texts[position]) for position in range(len(texts))}
    planted = [
        (position, original)
        for position, original in enumerate(originals)
        if original >= 0 and jaccard(sets[position], sets[original]) >= LIMIT
    ]
    hits = sum(int(groups[one] == groups[two]) for one, two in planted)
    wrong = 0
    order = np.argsort(groups, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) > 1:
            parts = components([sets[position] for position in members.tolist()])
            wrong += int(_pairs(np.zeros(len(members), int)) - _pairs(parts))
    return {"planted": len(planted), "recall": round(hits / len(planted), 4), "wrong_pairs": wrong}


def components(sets: Sequence[frozenset[tuple[str, str]]]) -> np.ndarray:
    """(n,) the component of each set, by comparing all pairs: with a product of the sets as a sparse matrix."""
    codes: dict[tuple[str, str], int] = {}
    columns = [codes.setdefault(shingle, len(codes)) for one in sets for shingle in one]
    sizes = np.array([len(one) for one in sets])
    shape = len(sets), len(codes)
    matrix = sp.csr_array((np.ones(len(columns), np.int32), columns, np.append(0, sizes.cumsum())), shape=shape)
    both = sp.coo_array(matrix @ matrix.T)
    rows, others = both.coords
    is_similar = both.data / (sizes[rows] + sizes[others] - both.data) >= LIMIT
    graph = sp.coo_array(
        (np.ones(is_similar.sum(), np.int8), (rows[is_similar], others[is_similar])), shape=(len(sets), len(sets))
    )
    labels: np.ndarray = connected_components(graph, directed=False)[1]
    return labels


def baseline(texts: Sequence[str]) -> dict[str, object]:
    """All pairs compared one with another, beside the same items' groups."""
    near = NearDuplicates(LIMIT)
    near.set_many(range(len(texts)), texts)
    start = time.perf_counter()
    sets = [shingles(text) for text in texts]
    label = list(range(len(sets)))
    for one, two in itertools.combinations(range(len(sets)), 2):
        if jaccard(sets[one], sets[two]) >= LIMIT and label[one] != label[two]:
            kept, lost = sorted((label[one], label[two]))
            label = [kept if value == lost else value for value in label]
    seconds = time.perf_counter() - start
    exact, groups = np.array(label), near.groups
    shared = _pairs(exact * len(texts) + groups)
    return {
        "items": len(texts),
        "seconds": round(seconds, 2),
        "pairs": _pairs(exact),
        "missed_pairs": _pairs(exact) - shared,
        "wrong_pairs": _pairs(groups) - shared,
    }


def many_alike(texts: Sequence[str]) -> dict[str, object]:
    """Loading texts that resemble one another, and taking ten out."""
    near = NearDuplicates(LIMIT)
    start = time.perf_counter()
    near.set_many(range(len(texts)), texts)
    seconds = time.perf_counter() - start
    groups = len(np.unique(near.groups))
    start = time.perf_counter()
    for position in range(10):
        near.remove(position)
    taken = (time.perf_counter() - start) / 10
    return {
        "items": len(texts),
        "groups": groups,
        "load_seconds": round(seconds, 2),
        "remove_milliseconds": round(taken * 1e3, 1),
    }


def _pairs(labels: np.ndarray) -> int:
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
