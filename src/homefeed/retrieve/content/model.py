"""The content model: an item's vector is the weighted sum of those of its words. Embeds items it never saw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self, TypeAlias

import numpy as np
import orjson
import scipy.sparse as sp
from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.types import Floats, Numbers

WordMatrix: TypeAlias = "sp.csr_array[np.float32]"

_WORD = re.compile(r"[^\W_]{2,}")


class ContentConfig(PartConfig):
    """`fields` names the recipe's fields to compare by, with their weights.

    `text_model` is the folder of a local sentence-transformers or model2vec model that words get their vectors
    from, relative to where training runs; without one they get them from the catalogue itself.
    """

    fields: Annotated[dict[str, float], Field(min_length=1)]
    dimensions: Annotated[int, Field(ge=2, le=1_024)] = 64
    vocabulary: Annotated[int, Field(ge=10)] = 50_000
    text_model: Annotated[str | None, Field(min_length=1)] = None


@dataclass(frozen=True, slots=True)
class ContentModel:
    """Unit vectors of items, and what it takes to embed another.

    `vectors` (items, dimensions) of the permanent `numbers`, zero where an item has no known word; `words` maps
    a field's word, `field=word`, to its column; `weights` (words,) inverse document frequency times the weight
    of the field; `components` (dimensions, words) each word's vector.
    """

    Config = ContentConfig

    numbers: Numbers
    vectors: Floats
    words: Mapping[str, int]
    weights: Floats
    components: Floats

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that items are compared by."""
        return tuple(dict.fromkeys(word.partition("=")[0] for word in self.words))

    def embed(self, items: Iterable[Mapping[str, Iterable[str]]]) -> Floats:
        """(items, dimensions) unit vectors of items given as the terms of each field."""
        documents = [[word for field, terms in item.items() for word in words_of(field, terms)] for item in items]
        return unit(np.asarray(word_matrix(documents, self.words, self.weights) @ self.components.T, np.float32))

    def save(self, folder: Path) -> None:
        """Write to an empty folder, an array a file."""
        for name in ("numbers", "vectors", "weights", "components"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        (folder / "words.json").write_bytes(orjson.dumps(dict(self.words)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what `save` wrote."""
        numbers, vectors, weights, components = (
            np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in ("numbers", "vectors", "weights", "components")
        )
        return cls(numbers, vectors, orjson.loads((folder / "words.json").read_bytes()), weights, components)


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


def unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9)
    return scaled
