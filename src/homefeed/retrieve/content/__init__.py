"""Content: what resembles, by its words, what the user watched. Needs no events of an item."""

from homefeed.retrieve.content.retriever import Content

__all__ = ["Content"]
