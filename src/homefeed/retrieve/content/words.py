"""The words of items, by field: what items are compared by without any events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp

from homefeed.errors import HomefeedError
from homefeed.types import Floats, TrainingData

WordMatrix: TypeAlias = "sp.csr_array[np.float32]"

_WORD = re.compile(r"[^\W_]{2,}")


def documents_of(data: TrainingData, fields: Iterable[str], model: str) -> list[list[str]]:
    """Every item's words in these fields.

    Raises:
        HomefeedError: the recipe does not declare one of the fields that the model is to use.
    """
    check_fields(data, fields, model)
    documents: list[list[str]] = [[] for _ in range(data.item_count)]
    for field in fields:
        for document, terms in zip(documents, data.terms[field], strict=True):
            document.extend(words_of(field, terms))
    return documents


def check_fields(data: TrainingData, fields: Iterable[str], model: str) -> None:
    """Refuse fields that have no words.

    Raises:
        HomefeedError: the recipe does not declare one of the fields that the model is to use.
    """
    unknown = sorted(set(fields) - set(data.terms))
    if unknown:
        raise HomefeedError(f'{model}: no field "{unknown[0]}"; expected some of {", ".join(sorted(data.terms))}')


def weighed_words(
    documents: Sequence[Iterable[str]], fields: Mapping[str, float], max_words: int
) -> tuple[dict[str, int], Floats]:
    """The `max_words` most frequent words, each with its column, and their weights (words,).

    A word weighs its field's weight times ln((1 + items) / (1 + items with it)) + 1.
    """
    frequency = Counter(word for document in documents for word in set(document))
    common = sorted(frequency, key=lambda word: (-frequency[word], word))[:max_words]
    words = {word: column for column, word in enumerate(sorted(common))}
    weights = [
        fields[word.partition("=")[0]] * (np.log((1 + len(documents)) / (1 + frequency[word])) + 1)
        for word in words
    ]
    return words, np.array(weights, np.float32)


def word_matrix(documents: Iterable[Iterable[str]], words: Mapping[str, int], weights: Floats) -> WordMatrix:
    """(documents, words): the weight of each known word a document has, however often. Rows of length 1."""
    columns = [sorted({words[word] for word in document if word in words}) for document in documents]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in columns])]).astype(np.int64)
    indices = np.fromiter((column for row in columns for column in row), np.int64, int(indptr[-1]))
    row_of = np.repeat(np.arange(len(columns)), np.diff(indptr))
    length = np.sqrt(np.bincount(row_of, weights[indices].astype(np.float64) ** 2, minlength=len(columns)))
    # Fields of weight 0 make rows of length 0: they stay so.
    data = (weights[indices] / np.maximum(length[row_of], 1e-30)).astype(np.float32)
    return sp.csr_array((data, indices, indptr), shape=(len(columns), len(words)))


def words_of(field: str, terms: Iterable[str]) -> list[str]:
    """The words of a field's terms, marked with the field: each term whole, and the words within it."""
    words: dict[str, None] = {}
    for term in terms:
        folded = term.casefold().strip()
        words |= dict.fromkeys(_WORD.findall(folded)) or {folded: None}
        words[folded] = None
    return [f"{field}={word}" for word in words if word]
