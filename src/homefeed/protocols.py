"""Every seam of Homefeed. A part is a class with a typed `Config`, named in a recipe by the name of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from homefeed.extras import Extra
from homefeed.labelled import LabelledPairs, PairFeature, Validation, Values
from homefeed.ranking import RankingData
from homefeed.types import Candidates, Codes, Floats, Mask, Numbers, Positions, Query, Scores, TrainingData

M_co = TypeVar("M_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Range:
    """The values of a number worth trying: `log` where its size is what matters, `whole` for integers."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


class PartConfig(BaseModel):
    """Base of every part's `Config`: what a recipe may set of it, with defaults that are good untuned.

    The docstring below a field is its description: in the JSON schema, and in the reference made by `make docs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    SPACE: ClassVar[Mapping[str, Range]] = {}
    """Of a retriever, the numbers that are worth choosing on a validation part, by name: of those that its model
    is not fitted by. Where one is None, the retriever goes by that of the same name of its model's `Config`."""


@runtime_checkable
class Retriever(Protocol):
    """Proposes candidates: up to `k` positions inside `query.eligible`, best first, and their scores (k,).

    Scores are finite and above 0: the more, the better; each retriever on a scale of its own.
    """

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]: ...


@runtime_checkable
class RetrieverExplainer(Protocol):
    """A retriever that can say, truthfully, why it proposed what it proposed; None where it cannot."""

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]: ...


@runtime_checkable
class Refreshable(Protocol):
    """A part that keeps something computed: called beside the requests after counters or catalogue changed."""

    def refresh(self) -> None: ...


@runtime_checkable
class CountsWork(Protocol):
    """A part that counts what it does, for the metrics of a server: totals since it was built, by kind of work."""

    def work(self) -> Mapping[str, int]: ...


@runtime_checkable
class EmbedsUsers(Protocol):
    """A retriever that compares users with items by vectors of one space, of the recipe's `embedding_model`.

    `user_embedding` is (dimensions,), `item_embeddings` (n, dimensions) of the items at positions (n,): rows of
    zeros for items without a vector, no columns where no model serves.
    """

    @property
    def embedding_model(self) -> str: ...

    def user_embedding(self, query: Query) -> Floats: ...

    def item_embeddings(self, positions: Positions) -> Floats: ...


@runtime_checkable
class FeatureExtractor(Protocol):
    """Describes candidates by numbers, a column for each of `names`: (n, names)."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def extract(self, query: Query, candidates: Candidates) -> Floats: ...


@runtime_checkable
class Ranker(Protocol):
    """Scores candidates (n,), and tells what each feature added (n, features): a row sums to the score."""

    def score(self, query: Query, candidates: Candidates) -> Scores: ...

    def contributions(self, query: Query, candidates: Candidates) -> Floats: ...


@runtime_checkable
class Filter(Protocol):
    """Says of every item of the catalog whether this request may see it: (items,), before retrieval.

    Each filter judges again what is about to be shown; one that raises fails the request closed.
    """

    def filter(self, query: Query) -> Mask: ...


@runtime_checkable
class ExplanationFilter(Filter, Protocol):
    """A filter that goes by what an item is, not by what the user did: what it stops, no reason may name."""

    restricts_explanations: ClassVar[bool]


@runtime_checkable
class ExpiringFilter(Filter, Protocol):
    """A filter that stops an item once its time has come: no slate is given again after that moment.

    `passes_until` is the first moment when it stops one of the positions, or `NEVER`; microseconds since 1970.
    """

    def passes_until(self, positions: Positions) -> int: ...


@runtime_checkable
class PersonalFilter(Filter, Protocol):
    """A filter that goes by who asks. Where it `concerns` them, no answer is shared between them and others."""

    def concerns(self, query: Query) -> bool: ...


@runtime_checkable
class RepeatFilter(Filter, Protocol):
    """A filter that may stop what the user has seen already; it tells whether it does."""

    @property
    def stops_repeats(self) -> bool: ...


@runtime_checkable
class FilterExplainer(Protocol):
    """A filter that can say in words why it stopped an item: "quality 0.12 is below 0.3"."""

    def why(self, query: Query, position: int) -> str: ...


@runtime_checkable
class Reranker(Protocol):
    """Orders or thins ranked candidates: caps, diversity, pins. What it takes out goes to `dropped`."""

    def rerank(self, query: Query, candidates: Candidates) -> Candidates: ...


@runtime_checkable
class NamesFeatures(Protocol):
    """The `Config` of a ranker that weighs features by name: which, by the place in the settings that names it."""

    @property
    def named_features(self) -> Mapping[str, str]: ...


@runtime_checkable
class NamesEarlierFeatures(Protocol):
    """The `Config` of an extractor that goes by features found before it: which, by the place that names it."""

    @property
    def earlier_features(self) -> Mapping[str, str]: ...


@runtime_checkable
class NamesModel(Protocol):
    """The `Config` of a part that uses one of the recipe's models."""

    model: str


@runtime_checkable
class CountsExposures(Protocol):
    """The `Config` of a part that goes by what was shown and chosen: it is counted only where there is one."""

    @property
    def counts_exposures(self) -> bool: ...


@runtime_checkable
class NamesPlaces(Protocol):
    """The `Config` of a retriever that tells people where items are: by a category field, or by none."""

    place_name: str | None


@runtime_checkable
class NamesTextModel(Protocol):
    """The `Config` of a model that can use a text model of the settings: None where it names none of its own."""

    text_model: str | None


@runtime_checkable
class Model(Protocol):
    """What a trainer produced: frozen, served from numpy, written without pickle."""

    def save(self, folder: Path) -> None: ...

    @classmethod
    def load(cls, folder: Path) -> Self: ...


@runtime_checkable
class NeedsExtra(Protocol):
    """A model whose training needs a library that not every installation has."""

    needs: ClassVar[Extra]


@runtime_checkable
class JoinableModel(Model, Protocol):
    """A model of an app whose users are kept apart: each partition has one of its own, fitted to its data alone.

    `joined` makes one of them that answers for the items and users of each as its own would; `numbers` are those
    of all items, in the order of the catalogue, some of which may be of no partition.
    """

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self: ...


@runtime_checkable
class VectorModel(Model, Protocol):
    """A model with `vectors` (rows, dimensions) of the items of the permanent `numbers` (rows,).

    Items that are alike point the same way; a vector may be of any length. Where users are kept apart, vectors of
    two partitions have nothing to do with one another.
    """

    @property
    def numbers(self) -> Numbers: ...

    @property
    def vectors(self) -> Floats: ...


@runtime_checkable
class FoldInModel(VectorModel, Protocol):
    """One that makes a user's vector of their items, so that users need not be known to it.

    `fold_in` takes the rows (n,) of the user's items and their weights (n,), below 0 of what is disliked, and
    tells what each adds to the user's vector: (dimensions, n). An item's score is the inner product of its vector
    and the user's. Where users are kept apart, `partition` (rows,) is that of each item, by its place among the
    `partitions`; then the rows are of the one that is named.
    """

    @property
    def partitions(self) -> Sequence[str]: ...

    @property
    def partition(self) -> Codes: ...

    def fold_in(self, rows: npt.NDArray[np.int32], weights: Floats, partition: int = 0) -> Floats: ...


@runtime_checkable
class EmbeddingModel(VectorModel, Protocol):
    """One that embeds items it never saw, by the terms of its `fields`: (items, dimensions).

    Where users are kept apart, `partitions` (items,) are those of the items.
    """

    @property
    def fields(self) -> tuple[str, ...]: ...

    def embed(
        self, items: Iterable[Mapping[str, Iterable[str]]], partitions: Iterable[str | None] = ()
    ) -> Floats: ...


@runtime_checkable
class Trainer(Protocol[M_co]):
    """Fits a model. The same data and seed give the same model."""

    def fit(self, data: TrainingData) -> M_co: ...


@runtime_checkable
class BatchTrainer(Trainer[M_co], Protocol):
    """A trainer that takes users in batches, and tells how many of all are done: the model is that of `fit`."""

    def fit_in_batches(self, data: TrainingData, progress: Callable[[int, int], None]) -> M_co: ...


@runtime_checkable
class RankingModel(Model, Protocol):
    """A model that ranks: it scores features (n, feature_names), in this order, and divides each score among them.

    `feature_names` has `bias`, 1 for every candidate, to which goes what no feature adds. `calibrated` is whether
    it learned of retrievers' evidence. Of the feature `own`, the score by the feed's own ranker, so many times
    `own_weight` are added as they are: that part is divided among the features as the feed's own ranker does.
    """

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    @property
    def calibrated(self) -> bool: ...

    @property
    def own_weight(self) -> float: ...

    def scores(self, features: Floats) -> Scores: ...

    def contributions(self, features: Floats) -> Floats: ...


@runtime_checkable
class ProbabilityModel(Protocol):
    """A ranking model that goes by how likely events are: by type, (n,) of features (n, feature_names)."""

    def probabilities(self, features: Floats) -> dict[str, npt.NDArray[np.float64]]: ...


@runtime_checkable
class ConfiguredModel(Protocol):
    """A ranking model that goes by settings of the recipe without being trained anew.

    `misconfigured` says why it cannot go by some.
    """

    def misconfigured(self, config: PartConfig) -> str | None: ...

    def configured(self, config: PartConfig) -> Self: ...


@runtime_checkable
class RankingTrainer(Protocol[M_co]):
    """Fits a `RankingModel` from requests. The same data and seed give the same model."""

    def fit(self, data: RankingData) -> M_co: ...


@runtime_checkable
class PairModel(Model, Protocol):
    """How likely a user is to choose an item: (n,) by features (n, features) of the two, NaN if not known.

    It learned from a file of labelled pairs. `importances` tell what each feature counts, the most first.
    """

    @property
    def features(self) -> Mapping[str, PairFeature]: ...

    @property
    def importances(self) -> Mapping[str, float]: ...

    @property
    def validation(self) -> Validation: ...

    def probabilities(self, values: Values) -> npt.NDArray[np.float64]: ...


@runtime_checkable
class PairTrainer(Protocol[M_co]):
    """Fits a `PairModel` from labelled pairs. The same pairs and settings give the same model."""

    def fit(self, pairs: LabelledPairs) -> M_co: ...


@runtime_checkable
class NamesPairs(Protocol):
    """The `Config` of a `PairModel`: its features by column, and the file and the column of labels it learns from.

    `misdeclared` says why features cannot be told of items and users with fields of these kinds.
    """

    features: Mapping[str, PairFeature]
    samples: str
    label: str

    def misdeclared(self, items: Mapping[str, str], users: Mapping[str, str]) -> str | None: ...


@runtime_checkable
class Tunable(Protocol):
    """A trainer that tells which numbers of its `Config` are worth choosing on a validation part, by name."""

    SPACE: ClassVar[Mapping[str, Range]]
