"""Files in LightGCN's format, and LightGCN's way of judging: numpy and scipy alone, for any interpreter.

A line is `user item item ...`, in numbers of 0 or more, in a plain file or a gzipped one. The evaluation is that
of He et al., "LightGCN" (SIGIR 2020): all items ranked, the user's training items left out, recall@20 divided by
the number of test items, NDCG@20 by the best that min(20, test items) can give.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Matrix: TypeAlias = "sp.csr_array[np.float32]"
"""(users, items), 1 where the user has the item."""

Top: TypeAlias = npt.NDArray[np.int32]
"""(users, k) items, best first; -1 where there is none."""

CUT: Final = 20
_LONG: Final = 20
_LOOKED_AT: Final = 2_000
_MORE_ALIKE: Final = 1.2
_LARGEST: Final = np.iinfo(np.int64).max
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True)
class Split:
    """Who had what, and what each user is to be recommended: of the same shape.

    `places`, where lines are in the order of time, has for every pair of `train` how many of the user's items are
    not before it in the line: 1 for the last.
    """

    train: Matrix
    test: Matrix
    places: Matrix | None = None


def read_split(train: Path, test: Path) -> Split:
    """Both files, with users and items numbered anew from 0, in the order of their numbers.

    Raises:
        ValueError: a file cannot be read or holds no items, or a line is not of the format; says which.
    """
    (users, items), (test_users, test_items) = read_pairs(train), read_pairs(test)
    all_users, rows = np.unique(np.concatenate([users, test_users]), return_inverse=True)
    all_items, columns = np.unique(np.concatenate([items, test_items]), return_inverse=True)
    shape, count = (len(all_users), len(all_items)), len(users)
    matrix = as_matrix(rows[:count], columns[:count], shape)
    places = places_of(rows[:count], columns[:count], matrix)
    test_matrix = as_matrix(rows[count:], columns[count:], shape)
    return Split(matrix, test_matrix, places if tells_time(places) else None)


def read_pairs(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The user and the item of every pair (pairs,), as the lines have them."""
    users: list[int] = []
    counts: list[int] = []
    items: list[int] = []
    for place, line in enumerate(_lines(path), 1):
        words = line.split()
        if not words:
            continue
        if not all(map(bytes.isdigit, words)):
            wrong = next(word for word in words if not word.isdigit()).decode(errors="replace")
            raise ValueError(
                f"{path}, line {place}: expected a user and items as numbers of 0 or more, got {wrong!r}"
            )
        numbers = list(map(int, words))
        if max(numbers) > _LARGEST:
            raise ValueError(f"{path}, line {place}: expected numbers up to {_LARGEST}, got {max(numbers)}")
        users.append(numbers[0])
        counts.append(len(numbers) - 1)
        items += numbers[1:]
    if not items:
        raise ValueError(f"{path}: expected lines of `user item item ...`, got none with an item")
    return np.repeat(np.array(users, np.int64), counts), np.array(items, np.int64)


def as_matrix(users: npt.NDArray[np.int64], items: npt.NDArray[np.int64], shape: tuple[int, int]) -> Matrix:
    """A matrix of ones; a pair that is told twice counts once."""
    keys = distinct(users * shape[1] + items)
    rows, columns = np.divmod(keys, shape[1])
    starts = np.append(0, np.cumsum(np.bincount(rows, minlength=shape[0]))).astype(np.int32)
    return sp.csr_array((np.ones(len(keys), np.float32), columns.astype(np.int32), starts), shape=shape)


def places_of(users: npt.NDArray[np.int64], items: npt.NDArray[np.int64], matrix: Matrix) -> Matrix:
    """The places of the pairs in their users' lines, from the end; of a pair that is told twice the later one."""
    keys = users * matrix.shape[1] + items
    order = np.argsort(keys, kind="stable")
    last = np.append(keys[order][1:] != keys[order][:-1], True)
    return _ranked(matrix, order[last])


def ones_of(places: Matrix) -> Matrix:
    """The same pairs without their places."""
    parts = np.ones(places.nnz, np.float32), places.indices, places.indptr
    ones: Matrix = sp.csr_array(parts, shape=places.shape)
    return ones


def tells_time(places: Matrix) -> bool:
    """Whether lines seem to be in the order of time: not sorted by number, and neighbours in a line more alike,

    by how many users they share, than items five places and more apart, as they are where people do one thing
    after another.
    """
    sizes = np.diff(places.indptr)
    long = np.flatnonzero(sizes >= _LONG)[:_LOOKED_AT]
    lines = [
        places.indices[span][np.argsort(-places.data[span])]
        for span in (slice(places.indptr[user], places.indptr[user + 1]) for user in long.tolist())
    ]
    if not lines or np.mean([(np.diff(line) > 0).all() for line in lines]) > 0.5:
        return False
    near = np.concatenate([np.stack([line[:-5], line[1:-4]]) for line in lines], axis=1)
    far = np.concatenate([np.stack([line[:-5], line[5:]]) for line in lines], axis=1)
    by_item: Matrix = sp.csr_array(ones_of(places).T)
    return bool(_shared(by_item, near) > _MORE_ALIKE * _shared(by_item, far))


def _shared(by_item: Matrix, pairs: npt.NDArray[np.int32]) -> float:
    """The mean cosine of pairs (2, pairs) of items, but for the user in whose line they stand."""
    users = np.diff(by_item.indptr)
    both = np.asarray(by_item[pairs[0]].multiply(by_item[pairs[1]]).sum(axis=1)).ravel() - 1
    return float((both / np.sqrt(users[pairs[0]] * users[pairs[1]])).mean())


def _ranked(matrix: Matrix, moments: npt.NDArray[np.int64]) -> Matrix:
    """The pairs of a matrix with their rank in their row, the latest moment first."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((-moments, rows))
    ranks = np.empty(len(rows), np.float32)
    ranks[order] = np.arange(len(rows)) - matrix.indptr[rows] + 1
    return sp.csr_array((ranks, matrix.indices, matrix.indptr), shape=matrix.shape)


def distinct(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each once, in their order: as np.unique, which takes twenty times as long from numpy 2.3 on."""
    ordered: npt.NDArray[np.int64] = np.sort(keys)
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    once: npt.NDArray[np.int64] = ordered[new]
    return once


def hold_out(train: Matrix, share: float, max_users: int, seed: int, places: Matrix | None = None) -> Split:
    """Take `share` of the items from up to `max_users` users drawn at random among those with two or more.

    Each of them gives at least one and keeps at least one: any, or with `places` the last of their lines.
    """
    rng = np.random.default_rng(seed)
    sizes = np.diff(train.indptr)
    able = np.flatnonzero(sizes >= 2)
    chosen = np.zeros(len(sizes), np.bool_)
    chosen[rng.permutation(able)[:max_users]] = True
    rows = np.repeat(np.arange(len(sizes)), sizes)
    drawn = rng.random(len(rows))
    order = np.lexsort((drawn if places is None else places.data, rows))
    place = np.empty(len(rows), np.int64)
    place[order] = np.arange(len(rows)) - train.indptr[rows]
    given = np.where(chosen, np.clip(np.rint(share * sizes), 1, np.maximum(sizes - 1, 1)), 0)
    out = place < given[rows]
    columns = train.indices.astype(np.int64)
    kept, given_up = (as_matrix(rows[part], columns[part], train.shape) for part in (~out, out))
    return Split(kept, given_up, None if places is None else _ranked(kept, -places.data[~out].astype(np.int64)))


def some_users(split: Split, share: float, seed: int) -> Split:
    """A share of the users, drawn at random, and the items that they have in training, numbered anew."""
    count = split.train.shape[0]
    users = np.sort(np.random.default_rng(seed).permutation(count)[: max(1, int(share * count))])
    items = np.unique(split.train[users].indices)
    train, test = (sp.csr_array(part[users][:, items]) for part in (split.train, split.test))
    return Split(train, test, None if split.places is None else sp.csr_array(split.places[users][:, items]))


def users_to_judge(split: Split) -> npt.NDArray[np.int64]:
    """(users,) the rows that have something to find."""
    return np.flatnonzero(np.diff(split.test.indptr))


def judged(top: Top, split: Split, users: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """Recall and NDCG at `CUT` of each of the users (users,), whose lists `top` (users, CUT) holds.

    Raises:
        ValueError: a list holds an item of the user's training part, or an item twice.
    """
    keys = _keys(top, split.train, users)
    listed = keys[keys >= 0]
    if len(distinct(listed)) < len(listed):
        raise ValueError("top: expected every item once in a list, got one twice")
    if _among(listed, split.train).any():
        raise ValueError("top: expected no item that the user has in training, got one")
    hits = _among(keys, split.test)
    targets = np.diff(split.test.indptr)[users]
    discounts = 1 / np.log2(np.arange(2, CUT + 2))
    ideal = np.cumsum(discounts)[np.minimum(targets, CUT) - 1]
    return {
        f"recall@{CUT}": hits.sum(axis=1) / targets,
        f"ndcg@{CUT}": hits @ discounts[: hits.shape[1]] / ideal,
    }


def without_training(top: Top, train: Matrix, users: npt.NDArray[np.int64]) -> Top:
    """The lists with -1 for what the users have: for libraries that fill short lists with it."""
    return np.where(_among(_keys(top, train, users), train), -1, top).astype(np.int32)


def _keys(top: Top, pairs: Matrix, users: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of each place of the lists user * items + item; -1 where there is none."""
    return np.where(top < 0, -1, users[:, None] * pairs.shape[1] + top)


def _among(keys: npt.NDArray[np.int64], pairs: Matrix) -> npt.NDArray[np.bool_]:
    """Which keys are pairs of the matrix; -1 is none."""
    users = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    known = users * pairs.shape[1] + pairs.indices
    if len(known) == 0:
        return np.zeros(keys.shape, np.bool_)
    found: npt.NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
    return found


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as source:
            yield from source
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected a readable file, got: {error}") from error
