"""The words of items, by field: what items are compared by without any events."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.errors import HomefeedError
from homefeed.types import Floats, TrainingData
from homefeed.words import folded
from homefeed.words import words_of as split_words

WordMatrix: TypeAlias = "sp.csr_array[np.float32]"

_KEPT_LENGTH: Final = 40
"""Characters: the words of a longer term are not kept."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The words of `count` items: item `rows[n]` has the word `words[codes[n]]`, each word it has once."""

    count: int
    words: Sequence[str]
    rows: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]


def documents_of(data: TrainingData, fields: Iterable[str], model: str) -> Documents:
    """Every item's words in these fields.

    Raises:
        HomefeedError: the recipe does not declare one of the fields that the model is to use.
    """
    check_fields(data, fields, model)
    code_of: dict[str, int] = {}
    codes = array("i")
    rows = [np.empty(0, np.int32)]
    for field in fields:
        sizes = array("i")
        for terms in data.terms[field]:
            before = len(codes)
            codes.extend([code_of.setdefault(word, len(code_of)) for word in words_of(field, terms)])
            sizes.append(len(codes) - before)
        rows.append(np.repeat(np.arange(len(sizes), dtype=np.int32), np.frombuffer(sizes, np.int32)))
    return Documents(data.item_count, list(code_of), np.concatenate(rows), np.frombuffer(codes, np.int32))


def check_fields(data: TrainingData, fields: Iterable[str], model: str) -> None:
    """Refuse fields that have no words.

    Raises:
        HomefeedError: the recipe does not declare one of the fields that the model is to use.
    """
    unknown = sorted(set(fields) - set(data.terms))
    if unknown:
        raise HomefeedError(f'{model}: no field "{unknown[0]}"; expected some of {", ".join(sorted(data.terms))}')


def weighed_words(
    documents: Documents, fields: Mapping[str, float], max_words: int
) -> tuple[dict[str, int], Floats]:
    """The `max_words` most frequent words, each with its column, and their weights (words,).

    A word weighs its field's weight times ln((1 + items) / (1 + items with it)) + 1.
    """
    frequency = np.bincount(documents.codes, minlength=len(documents.words))
    common = _most_frequent(documents.words, frequency, max_words)
    common.sort(key=documents.words.__getitem__)
    words = {documents.words[code]: column for column, code in enumerate(common)}
    return words, word_weights(words, frequency[common], documents.count, fields)


def word_weights(
    words: Iterable[str], frequency: npt.NDArray[np.integer[Any]], count: int, fields: Mapping[str, float]
) -> Floats:
    """(words,) what words weigh that so many of `count` items have."""
    of_fields = np.array([fields[word.partition("=")[0]] for word in words], np.float64)
    rarity = np.log((1 + count) / (1 + frequency)) + 1
    weights: Floats = (of_fields * rarity).astype(np.float32)
    return weights


def _most_frequent(words: Sequence[str], frequency: npt.NDArray[np.intp], max_words: int) -> list[int]:
    """The codes of the most frequent words, of equally frequent ones the first by the alphabet."""
    if len(words) <= max_words:
        return list(range(len(words)))
    limit = np.partition(frequency, len(words) - max_words)[len(words) - max_words]
    more = np.flatnonzero(frequency > limit).tolist()
    equal = sorted(np.flatnonzero(frequency == limit).tolist(), key=words.__getitem__)
    return [*more, *equal[: max_words - len(more)]]


def matrix_of(documents: Documents, words: Mapping[str, int], weights: Floats) -> WordMatrix:
    """(documents, words): the weight of each known word a document has. Rows of length 1."""
    column_of = np.array([words.get(word, -1) for word in documents.words], np.int32)
    columns = column_of[documents.codes]
    known = columns >= 0
    rows, columns = documents.rows[known], columns[known]
    return _of_length_one(sp.csr_array((weights[columns], (rows, columns)), shape=(documents.count, len(words))))


def word_matrix(documents: Iterable[Iterable[str]], words: Mapping[str, int], weights: Floats) -> WordMatrix:
    """(documents, words): the weight of each known word a document has, however often. Rows of length 1."""
    columns = [sorted({words[word] for word in document if word in words}) for document in documents]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in columns])]).astype(np.int64)
    indices = np.fromiter((column for row in columns for column in row), np.int64, int(indptr[-1]))
    return _of_length_one(sp.csr_array((weights[indices], indices, indptr), shape=(len(columns), len(words))))


def _of_length_one(matrix: WordMatrix) -> WordMatrix:
    matrix.sort_indices()
    row_of = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    length = np.sqrt(np.bincount(row_of, matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0]))
    # Fields of weight 0 make rows of length 0: they stay so.
    matrix.data = (matrix.data / np.maximum(length[row_of], 1e-30)).astype(np.float32)
    return matrix


def words_of(field: str, terms: Iterable[str]) -> list[str]:
    """The words of a field's terms, marked with the field: each term whole, and the longer words within it."""
    words: dict[str, None] = {}
    for term in terms:
        words |= dict.fromkeys(_words_in(term) if len(term) <= _KEPT_LENGTH else _words_in.__wrapped__(term))
    return [f"{field}={word}" for word in words if word]


@lru_cache(20_000)
def _words_in(term: str) -> tuple[str, ...]:
    whole = " ".join(folded(term).split())
    return (*[word for word in split_words(term) if len(word) > 1], whole)
