"""Similar items by their words: what resembles an item, never its exact duplicates."""

from homefeed.retrieve.similar.retriever import Similar

__all__ = ["Similar"]
