"""The model of similar items: for each item, those with the most similar words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar, Self

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pydantic import Field

from homefeed.catalog.partitions import name_in
from homefeed.model_files import require_columns, require_finite, require_range, require_shape, require_starts
from homefeed.protocols import PartConfig
from homefeed.retrieve.content.words import WordMatrix, word_matrix, words_of
from homefeed.retrieve.joining import joined_words, rows_among
from homefeed.retrieve.neighbours import NeighbourLists
from homefeed.retrieve.similar.texts import Marks, duplicate_mark_of, mark_of
from homefeed.types import Floats, Numbers


class SimilarConfig(PartConfig):
    """Which items are similar; see `SimilarTrainer` for the formula."""

    fields: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
    """By field of kind text, category or tags, its weight."""
    duplicate_fields: tuple[str, ...] = ()
    """Items that are equal in all of these, but for letter case and white space, are duplicates and never
    neighbours. Without any, `fields` are meant."""
    neighbours: Annotated[int, Field(ge=1, le=2_000)] = 100
    """How many neighbours are kept for each item: the most similar."""
    min_similarity: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """The cosine that a neighbour has to exceed."""
    max_words: Annotated[int, Field(ge=10)] = 200_000
    """How many words count: the most frequent."""


@dataclass(frozen=True, slots=True)
class SimilarModel(NeighbourLists):
    """Neighbour lists: of each item the most similar ones, by TF-IDF and cosine.

    Weights are cosines. What it takes to compare an item that came later is kept beside them: `words` maps a
    field's word, `field=word`, to its row of a matrix (words, items) in CSR form, of which `word_items` holds the
    columns, `word_values` the values and `word_starts` where each row begins: columns are unit vectors.
    `word_weights` (words,) are inverse document frequency times the weight of the field. `marks` (items,) show
    what each item holds in all `compared` fields, `duplicates` (items,) in `duplicate_fields`; see `texts`. Where
    users are kept apart, `sizes` are how many items each partition has, and words are of one partition: `name_in`.
    """

    Config = SimilarConfig
    OF_ROWS: ClassVar[tuple[str, ...]] = ("marks", "duplicates")

    word_starts: npt.NDArray[np.int32]
    word_items: npt.NDArray[np.int32]
    word_values: Floats
    word_weights: Floats
    marks: Marks
    duplicates: Marks
    words: Mapping[str, int]
    fields: Mapping[str, float]
    duplicate_fields: Sequence[str]
    neighbours: int
    min_similarity: float
    sizes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:
        """The lists of each partition, by the rarity of words in it: no word is of two."""
        own = list(parts.values())
        rows = rows_among(numbers, (part.numbers for part in own))
        starts, first = [np.zeros(1, np.int32)], 0
        for part in own:
            starts.append(part.word_starts[1:] + np.int32(first))
            first += len(part.word_items)
        return replace(
            super(SimilarModel, cls).joined(parts, numbers),
            word_starts=np.concatenate(starts),
            word_items=np.concatenate([of[part.word_items] for of, part in zip(rows, own, strict=True)]),
            word_values=np.concatenate([part.word_values for part in own]),
            word_weights=np.concatenate([part.word_weights for part in own]),
            words=joined_words({partition: part.words for partition, part in parts.items()}),
            sizes={partition: len(part.numbers) for partition, part in parts.items()},
        )

    def check(self) -> None:
        """Refuse words of other items.

        Raises:
            ArtifactError: naming what is wrong.
        """
        NeighbourLists.check(self)
        count = len(self.words)
        require_columns(self.words, count)
        require_starts("word_starts", self.word_starts, count, len(self.word_items))
        require_range("word_items", self.word_items, len(self.numbers))
        require_shape("word_values", self.word_values.shape, self.word_items.shape)
        require_shape("word_weights", self.word_weights.shape, (count,))
        require_finite(word_values=self.word_values, word_weights=self.word_weights)
        require_shape("marks", self.marks.shape, self.numbers.shape)
        require_shape("duplicates", self.duplicates.shape, self.numbers.shape)

    @property
    def compared(self) -> tuple[str, ...]:
        """The fields that matter, each once."""
        return tuple(dict.fromkeys((*self.fields, *self.duplicate_fields)))

    @property
    def by_word(self) -> WordMatrix:
        """(words, items), the items' unit vectors as columns."""
        shape = len(self.words), len(self.numbers)
        return sp.csr_array((self.word_values, self.word_items, self.word_starts), shape=shape)

    def vectors(
        self, items: Sequence[Mapping[str, Sequence[str]]], partitions: Sequence[str | None] = ()
    ) -> WordMatrix:
        """(items, words) of items given as the terms of each field, of length 1 but for unknown words.

        A word that the model never saw makes an item as different as one that a single item had. Where users are
        kept apart, `partitions` (items,) are those of the items; the words of one without are unknown.
        """
        apart = [partition or "" for partition in partitions] if self.sizes else [""] * len(items)
        documents = [
            [name_in(word, partition) for name in self.fields for word in words_of(name, item[name])]
            for item, partition in zip(items, apart, strict=True)
        ]
        known = word_matrix(documents, self.words, self.word_weights)
        squares = [
            sum(
                (self.fields[word.partition("=")[0]] * self._rare(partition)) ** 2
                for word in set(document) - self.words.keys()
            )
            for document, partition in zip(documents, apart, strict=True)
        ]
        columns = np.repeat(np.arange(len(documents)), np.diff(known.indptr))
        lengths = np.bincount(columns, self.word_weights[known.indices].astype(np.float64) ** 2, len(documents))
        share = np.sqrt(lengths / np.maximum(lengths + np.array(squares), 1e-30))
        known.data *= share[columns].astype(np.float32)
        return known

    def _rare(self, partition: str) -> float:
        """How rare a word is that one item has."""
        size = self.sizes.get(partition, 0) if self.sizes else len(self.numbers)
        return float(np.log((1 + size) / 2) + 1)

    def mark(self, item: Mapping[str, Sequence[str]]) -> int:
        """What an item's entry in `marks` would be."""
        return mark_of([item[field] for field in self.compared])

    def duplicate_mark(self, item: Mapping[str, Sequence[str]]) -> int:
        """What an item's entry in `duplicates` would be."""
        return duplicate_mark_of([item[field] for field in self.duplicate_fields])
