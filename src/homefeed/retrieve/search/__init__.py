"""Search: items by the words of a query, misspelt words and synonyms included."""

from homefeed.retrieve.search.retriever import Search

__all__ = ["Search"]
