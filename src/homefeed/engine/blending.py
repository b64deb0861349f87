"""A feed as its blend has it: calibrated, and with the weights and the retrievers' settings that were tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from pydantic import ValidationError

from homefeed.protocols import Model, PartConfig
from homefeed.rank.blend import Blend, RetrieverNumbers
from homefeed.rank.calibration import calibration_table
from homefeed.rank.kernels import Doubles
from homefeed.rank.schema import BIAS
from homefeed.rank.weighted import Weighted
from homefeed.recipe import BLEND, FeedRecipe, PartSpec


def blended(
    feed: FeedRecipe, models: Mapping[str, Model], features: Sequence[str]
) -> tuple[FeedRecipe, Doubles | None]:
    """The feed with what was tuned, and its calibration, where the blend was made for what the feed is now.

    `features` are those it has, its retrievers' names too.
    """
    blend = models.get(BLEND)
    own = blend.feeds.get(feed.name) if isinstance(blend, Blend) else None
    names = [spec.name for spec in feed.retrieve]
    if own is None or own.retrievers != retrievers_of(feed) or not own.calibrations.keys() >= set(names):
        return feed, None
    if not _are_known(feed, own.settings):
        return feed, None
    table = calibration_table(names, own.calibrations)
    known = own.ranker == ranker_of(feed) and own.weights.keys() <= set(features)
    if own.weights and known and isinstance(feed.rank.config, Weighted.Config):
        config = feed.rank.config.model_copy(update={"weights": dict(own.weights)})
        feed = replace(feed, rank=replace(feed.rank, config=config))
    return with_settings(feed, own.settings), table


def with_settings(feed: FeedRecipe, settings: RetrieverNumbers) -> FeedRecipe:
    """The feed with these numbers of its retrievers in place of the recipe's."""
    retrieve = (
        replace(spec, config=with_values(spec.config, settings.get(spec.name, {}))) for spec in feed.retrieve
    )
    return replace(feed, retrieve=tuple(retrieve))


def with_values(config: PartConfig, values: Mapping[str, float]) -> PartConfig:
    """The config with these values, checked as a recipe's would be."""
    return type(config).model_validate(config.model_dump() | dict(values)) if values else config


def _are_known(feed: FeedRecipe, settings: RetrieverNumbers) -> bool:
    """Whether the settings are such of the feed's retrievers as can be tuned, within what may be set."""
    space_of = {spec.name: spec.config.SPACE for spec in feed.retrieve}
    if not all(values.keys() <= space_of.get(name, {}).keys() for name, values in settings.items()):
        return False
    try:
        with_settings(feed, settings)
    except ValidationError:
        return False
    return True


def retrievers_of(feed: FeedRecipe) -> str:
    """What a feed retrieves by, as a digest: calibrations hold for the same."""
    stand_ins = (f"{spec.name} instead of {spec.instead_of}" for spec in feed.retrieve if spec.instead_of)
    return _digest([*(f"{spec.k} {_told(spec)}" for spec in feed.retrieve), *stand_ins])


def ranker_of(feed: FeedRecipe) -> str:
    """What a feed ranks by, as a digest: tuned weights hold for the same, whether or not it learns, too."""
    return _digest([_told(feed.rank), *(_told(spec) for spec in feed.features if spec.part != BIAS)])


def _told(spec: PartSpec) -> str:
    return f"{spec.name} {spec.part} {spec.config.model_dump_json()}"


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:16]
