"""An app live in memory: catalogue, counters, models and user states kept in step with the store."""

from homefeed.serving.answer import Answer, FeedRequest
from homefeed.serving.live import LiveApp
from homefeed.serving.opening import live_app, open_app

__all__ = ["Answer", "FeedRequest", "LiveApp", "live_app", "open_app"]
