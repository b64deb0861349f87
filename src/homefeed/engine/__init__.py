"""From a recipe to what runs: models fitted, feeds built. No input or output."""

from homefeed.engine.build import (
    build_feeds,
    check_feeds,
    counters_of,
    empty_catalog,
    refresh,
    resources_of,
    told_anew,
)
from homefeed.engine.fit import (
    fit_model,
    fit_models,
    fit_pair_model,
    fit_ranking_model,
    ranking_trainer,
    text_model_of,
    with_text_model,
)
from homefeed.engine.signals import fit_signals
from homefeed.engine.stand_ins import can_do_without
from homefeed.engine.strengths import Prepared, event_weights, prepare

__all__ = [
    "Prepared",
    "build_feeds",
    "can_do_without",
    "check_feeds",
    "counters_of",
    "empty_catalog",
    "event_weights",
    "fit_model",
    "fit_models",
    "fit_pair_model",
    "fit_ranking_model",
    "fit_signals",
    "prepare",
    "ranking_trainer",
    "refresh",
    "resources_of",
    "text_model_of",
    "told_anew",
    "with_text_model",
]
