"""A feed as its blend has it: calibrated, and with the weights that were tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.rank.calibration import calibration_table
from homefeed.rank.kernels import Doubles
from homefeed.rank.weighted import Weighted
from homefeed.recipe import BLEND, FeedRecipe, PartSpec


def blended(
    feed: FeedRecipe, models: Mapping[str, Model], features: Sequence[str]
) -> tuple[FeedRecipe, Doubles | None]:
    """The feed with its tuned weights, and its calibration, where the blend was made for what the feed is now.

    `features` are those it has, its retrievers' names too.
    """
    blend = models.get(BLEND)
    own = blend.feeds.get(feed.name) if isinstance(blend, Blend) else None
    names = [spec.name for spec in feed.retrieve]
    if own is None or own.retrievers != retrievers_of(feed) or not own.calibrations.keys() >= set(names):
        return feed, None
    table = calibration_table(names, own.calibrations)
    known = own.ranker == ranker_of(feed) and own.weights.keys() <= set(features)
    if own.weights and known and isinstance(feed.rank.config, Weighted.Config):
        config = feed.rank.config.model_copy(update={"weights": dict(own.weights)})
        feed = replace(feed, rank=replace(feed.rank, config=config))
    return feed, table


def retrievers_of(feed: FeedRecipe) -> str:
    """What a feed retrieves by, as a digest: calibrations hold for the same."""
    return _digest(f"{spec.k} {_told(spec)}" for spec in feed.retrieve)


def ranker_of(feed: FeedRecipe) -> str:
    """What a feed ranks by, as a digest: tuned weights hold for the same."""
    return _digest([_told(feed.rank), *map(_told, feed.features)])


def _told(spec: PartSpec) -> str:
    return f"{spec.name} {spec.part} {spec.config.model_dump_json()}"


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
