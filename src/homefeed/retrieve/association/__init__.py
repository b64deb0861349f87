"""Association rules: what is often chosen together, on one occasion."""

from homefeed.retrieve.association.retriever import Association

__all__ = ["Association"]
