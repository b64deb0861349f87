"""streaming: popular and personalised titles from watch history."""

from homefeed.apps.streaming.functions import Streaming, recommend_for_user, recommend_popular

__all__ = ["Streaming", "recommend_for_user", "recommend_popular"]
