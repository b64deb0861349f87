"""From a recipe to what runs: models fitted, feeds built. No input or output."""

from homefeed.engine.build import build_feeds
from homefeed.engine.fit import Prepared, event_weights, fit_model, fit_signals, prepare

__all__ = ["Prepared", "build_feeds", "event_weights", "fit_model", "fit_signals", "prepare"]
