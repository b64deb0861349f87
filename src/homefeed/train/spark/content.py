"""Fits the content model on Spark: words are split, counted, weighed and reduced where the items are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as sf

from homefeed.retrieve.content.embedding import NO_TEXT_MODEL, load_text_model
from homefeed.retrieve.content.model import ContentConfig, ContentModel, unit
from homefeed.retrieve.content.trainer import encoded, leanings_of, turned
from homefeed.retrieve.content.words import WordMatrix, check_fields, word_matrix, word_weights, words_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from homefeed.catalog.signals import Doubles
    from homefeed.train.spark.data import SparkData
    from homefeed.types import Floats, TrainingData

Batches = Iterable[pa.RecordBatch]

_ITERATIONS: Final = 4
_MORE: Final = 10
_SUMS: Final = 4
"""Partitions that partial sums come together in, before the driver has them."""


class SparkContentTrainer:
    """The model of `ContentTrainer`: words, their weights and so each item's row are equal to the last bit.

    Without a text model rows are reduced by the same randomised SVD (Halko et al., SIAM Review 2011), as subspace
    iteration on the words: each step sends (words, dimensions) numbers to the items and sums what comes back. Its
    directions are those of the local trainer as far as singular values tell them apart. With a text model, which
    each worker loads, the main directions of the items are equal to rounding, as are all sums.
    """

    Config = ContentConfig

    def __init__(self, config: ContentConfig) -> None:
        self._config = config

    def fit(self, data: SparkData) -> ContentModel:
        """Vectors of every item of the catalogue.

        Raises:
            HomefeedError: a configured field is not declared by the recipe, or the text model cannot be used.
        """
        config, about = self._config, data.about
        check_fields(about, config.fields, "content")
        documents = _documents(data.events.sparkSession, about, tuple(config.fields)).cache()
        try:
            words, weights = _vocabulary(documents, config, about.item_count)
            items = _Items(documents, words, weights, about.item_count)
            if not words:
                components = np.ones((1, 0), np.float32)
            elif config.text_model in (None, NO_TEXT_MODEL):
                components = _latent(items, config.dimensions, about.seed)
            else:
                components = _from_texts(items, str(config.text_model), config.dimensions)
            vectors = items.rows(_Embed(components), components.shape[0])
        finally:
            documents.unpersist()
        return ContentModel(about.numbers, vectors, words, weights, components)


@dataclass(frozen=True, slots=True)
class _Items:
    """Items by their words, of which each worker makes the rows of `word_matrix`."""

    documents: DataFrame
    words: Mapping[str, int]
    weights: Floats
    count: int

    def sum(self, function: Callable[[WordMatrix], Doubles], shape: tuple[int, int]) -> Doubles:
        """The sum of a function of the rows, some rows at a time."""
        partial = _Partial(self.words, self.weights, function, shape)
        parts = self.documents.mapInArrow(partial, "sum binary")
        table = parts.repartition(_SUMS).mapInArrow(_together, "sum binary").toArrow()
        total = np.zeros(shape)
        for part in table["sum"]:
            total += np.frombuffer(part.as_buffer()).reshape(shape)
        return total

    def rows(self, function: Callable[[WordMatrix], Floats], width: int) -> Floats:
        """(items, width) a function of the rows, item by item."""
        if not self.words:
            return np.zeros((self.count, width), np.float32)
        made = self.documents.mapInArrow(_Rows(self.words, self.weights, function), "item int, row array<float>")
        table = made.orderBy("item").toArrow().combine_chunks()
        return np.asarray(table["row"].combine_chunks().flatten(), np.float32).reshape(self.count, width)


def _documents(spark: SparkSession, about: TrainingData, fields: tuple[str, ...]) -> DataFrame:
    """(item, words) of each item of the catalogue."""
    columns = [pa.array(map(list, about.terms[field]), pa.list_(pa.string())) for field in fields]
    names = [f"terms{number}" for number in range(len(fields))]
    table = pa.table([pa.array(range(about.item_count), pa.int32()), *columns], ["item", *names])
    return spark.createDataFrame(table).mapInArrow(_Split(fields), "item int, words array<string>")


def _vocabulary(documents: DataFrame, config: ContentConfig, count: int) -> tuple[dict[str, int], Floats]:
    """The most frequent words, of equally frequent ones the first by the alphabet, and their weights."""
    counted = documents.select(sf.explode("words").alias("word")).groupBy("word").count()
    common = counted.orderBy(sf.desc("count"), "word").limit(config.max_words).toArrow()
    common = common.sort_by("word")
    words = {word: column for column, word in enumerate(common["word"].to_pylist())}
    return words, word_weights(words, common["count"].to_numpy(), count, config.fields)


def _latent(items: _Items, dimensions: int, seed: int) -> Floats:
    """(dimensions or fewer, words) by which items are reduced, as `latent_components`; signs are those of its own:
    the largest number of each row is above 0.
    """
    width = len(items.words)
    dimensions = min(dimensions, items.count, width)
    if width < 2:
        return np.ones((1, width), np.float32)
    drawn = np.random.default_rng(seed).normal(size=(width, min(dimensions + _MORE, width)))
    basis, _ = np.linalg.qr(drawn)
    if basis.shape[1] < width:  # else it has all directions from the start
        for _ in range(_ITERATIONS):
            basis, _ = np.linalg.qr(items.sum(_Square(basis), basis.shape))
    squares, directions = np.linalg.eigh(basis.T @ items.sum(_Square(basis), basis.shape))
    components = (basis @ directions[:, np.argsort(-squares)[:dimensions]]).T
    largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1)
    return np.ascontiguousarray(components * np.sign(largest), np.float32)


def _from_texts(items: _Items, text_model: str, dimensions: int) -> Floats:
    """(dimensions or fewer, words): as `content.trainer.from_texts`."""
    load_text_model(text_model)  # here first: what is wrong with it is told at once
    spark = items.documents.sparkSession
    listed = spark.createDataFrame(pa.table({"word": list(items.words)}))
    made = listed.mapInArrow(_Encode(text_model), "word string, vector array<float>").orderBy("word").toArrow()
    vectors = np.asarray(made["vector"].combine_chunks().flatten(), np.float32).reshape(len(items.words), -1)
    gram = items.sum(_TextGram(vectors), (vectors.shape[1],) * 2)

    def leanings(direction: Floats) -> Floats:
        # NaN tells an item without a vector.
        found = items.rows(_Lean(vectors, direction), 1)[:, 0]
        return found[~np.isnan(found)]

    return turned(vectors, gram, leanings, dimensions)


# What runs on workers: they import this module, and get these with their fields.


@dataclass(frozen=True)
class _Split:
    fields: tuple[str, ...]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = [batch.column(1 + number).to_pylist() for number in range(len(self.fields))]
            documents = [
                [word for field, terms in zip(self.fields, item, strict=True) for word in words_of(field, terms)]
                for item in zip(*columns, strict=True)
            ]
            words = pa.array(documents, pa.list_(pa.string()))
            yield pa.RecordBatch.from_arrays([batch.column(0), words], ["item", "words"])


@dataclass(frozen=True)
class _Partial:
    words: Mapping[str, int]
    weights: Floats
    function: Callable[[WordMatrix], Doubles]
    shape: tuple[int, int]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        total = np.zeros(self.shape)
        for batch in batches:
            total += self.function(word_matrix(batch.column("words").to_pylist(), self.words, self.weights))
        yield _as_row(total)


def _together(batches: Batches) -> Iterator[pa.RecordBatch]:
    total: Any = 0.0
    for batch in batches:
        for part in batch.column(0):
            total = total + np.frombuffer(part.as_buffer())
    if not np.isscalar(total):
        yield _as_row(total)


def _as_row(total: Doubles) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([total.tobytes()], pa.binary())], ["sum"])


@dataclass(frozen=True)
class _Rows:
    words: Mapping[str, int]
    weights: Floats
    function: Callable[[WordMatrix], Floats]

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            made = self.function(word_matrix(batch.column("words").to_pylist(), self.words, self.weights))
            rows = pa.array(list(made), pa.list_(pa.float32()))
            yield pa.RecordBatch.from_arrays([batch.column("item"), rows], ["item", "row"])


@dataclass(frozen=True)
class _Embed:
    components: Floats

    def __call__(self, matrix: WordMatrix) -> Floats:
        return unit(np.asarray(matrix @ self.components.T, np.float32))


@dataclass(frozen=True)
class _Square:
    basis: Doubles

    def __call__(self, matrix: WordMatrix) -> Doubles:
        return np.asarray(matrix.T @ (matrix @ self.basis), np.float64)


@dataclass(frozen=True)
class _TextGram:
    vectors: Floats

    def __call__(self, matrix: WordMatrix) -> Doubles:
        items = unit(np.asarray(matrix @ self.vectors, np.float32))
        return np.asarray(items.T @ items, np.float64)


@dataclass(frozen=True)
class _Lean:
    vectors: Floats
    direction: Floats

    def __call__(self, matrix: WordMatrix) -> Floats:
        items = unit(np.asarray(matrix @ self.vectors, np.float32))
        found = np.full((len(items), 1), np.nan, np.float32)
        found[items.any(axis=1), 0] = leanings_of(items, self.direction)
        return found


@dataclass(frozen=True)
class _Encode:
    text_model: str

    def __call__(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        encode = load_text_model(self.text_model)
        for batch in batches:
            words = {word: number for number, word in enumerate(batch.column(0).to_pylist())}
            vectors = pa.array(list(encoded(encode, words)), pa.list_(pa.float32()))
            yield pa.RecordBatch.from_arrays([batch.column(0), vectors], ["word", "vector"])
