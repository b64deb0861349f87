"""Search: items whose words match what somebody looks for, however they spell or call it."""

from homefeed.retrieve.search.retriever import Search

__all__ = ["Search"]
