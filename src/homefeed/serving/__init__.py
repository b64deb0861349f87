"""An app live in memory: catalogue, counters, models and user states kept in step with the store."""

from homefeed.serving.answer import Answer, FeedRequest
from homefeed.serving.live import LiveApp
from homefeed.serving.opening import live_app, open_app
from homefeed.serving.places import named_place

__all__ = ["Answer", "FeedRequest", "LiveApp", "live_app", "named_place", "open_app"]
