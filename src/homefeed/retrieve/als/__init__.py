"""ALS: matrix factorisation for implicit feedback, folded in from the user's latest events."""

from homefeed.retrieve.als.retriever import Als

__all__ = ["Als"]
