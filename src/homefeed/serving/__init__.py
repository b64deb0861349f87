"""An app live in memory: catalogue, counters, models and user states kept in step with the store."""

from homefeed.serving.live import Answer, FeedRequest, LiveApp

__all__ = ["Answer", "FeedRequest", "LiveApp"]
