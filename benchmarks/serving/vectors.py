"""Searches of vectors, exact and by cells: prints a line of JSON for each share of the items that is eligible.

    python -m benchmarks.serving.vectors                        # a million vectors of 64
    python -m benchmarks.serving.vectors --items 100000 --dimensions 256

Vectors lie about tastes, their lengths are those of a Zipf law, unless `--equal`; users are made of five items, of
one taste or by chance. Milliseconds are of one thread's processor time. Needs faiss.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from homefeed.blas import one_thread
from homefeed.kernels import warm_up
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.cells import CellIndex
from homefeed.retrieve.factors import Factors, longest_first
from homefeed.train.cells import arranged
from homefeed.types import Floats, Mask, Positions

TASTES = 300
USERS = 60
BEST = 100
SPREAD = 0.7
SHARES = (1.0, 0.1, 0.01)

Search = Callable[[Floats, Mask], Positions]


def model_of(items: int, dimensions: int, equal: bool, rng: np.random.Generator) -> tuple[AlsModel, Positions]:
    """A model of such vectors, and the taste of each item."""
    taste_of = rng.integers(0, TASTES, items)
    vectors = rng.standard_normal((TASTES, dimensions), np.float32)[taste_of]
    vectors += SPREAD * rng.standard_normal((items, dimensions), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    if not equal:
        vectors *= np.sqrt(rng.zipf(1.8, (items, 1)).clip(1, 200) / 200).astype(np.float32)
    order = longest_first(vectors)
    wide = vectors.astype(np.float64)
    gram = wide.T @ wide + 10 * np.eye(dimensions)
    numbers = order.astype(np.int32)
    return AlsModel(numbers, vectors[order], gram, 5.0), taste_of.astype(np.int32)


def users_of(model: AlsModel, taste_of: Positions, alike: bool, rng: np.random.Generator) -> list[Floats]:
    found = []
    for _ in range(USERS):
        own = np.arange(len(model.numbers))
        if alike:
            own = np.flatnonzero(taste_of[model.numbers] == rng.integers(0, TASTES))
        rows = rng.choice(own, 5).astype(np.int32)
        found.append(model.fold_in(rows, np.ones(5, np.float32)).sum(axis=1))
    return found


def timed(search: Search, users: list[Floats], eligible: Mask) -> tuple[float, list[Positions]]:
    """The median milliseconds of a search, and what each found."""
    milliseconds, found = [], []
    for user in users:
        began = time.thread_time()
        found.append(search(user, eligible))
        milliseconds.append(1_000 * (time.thread_time() - began))
    return round(float(np.median(milliseconds)), 2), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--equal", action="store_true", help="all vectors of one length")
    options = parser.parse_args()
    warm_up()
    rng = np.random.default_rng(1)
    model, taste_of = model_of(options.items, options.dimensions, options.equal, rng)
    began = time.process_time()
    made = arranged(model, 1, 0)
    assert isinstance(made.model, AlsModel)
    told = {"benchmark": "vectors", "items": options.items, "dimensions": options.dimensions}
    told |= {"equal": options.equal}
    print(json.dumps(told | made.facts | {"made_cpu_seconds": round(time.process_time() - began, 1)}), flush=True)
    exact = Factors(model.vectors, model.numbers)
    index = CellIndex(made.model.vectors, made.model.numbers, made.model.cells)
    with one_thread():
        for alike in (True, False):
            users = users_of(model, taste_of, alike, rng)
            for share in SHARES:
                eligible = rng.random(options.items) < share
                exact_ms, of_all = timed(lambda user, mask: exact.best(user, mask, BEST)[0], users, eligible)
                cells_ms, of_cells = timed(lambda user, mask: index.best(user, mask, BEST)[0], users, eligible)
                recall = np.mean([np.isin(one, other).mean() for one, other in zip(of_all, of_cells, strict=True)])
                line = {"one_taste": alike, "eligible": share, "exact_ms": exact_ms, "cells_ms": cells_ms}
                print(json.dumps(told | line | {"recall": round(float(recall), 4)}), flush=True)


if __name__ == "__main__":
    main()
