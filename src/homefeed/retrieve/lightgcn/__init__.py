"""LightGCN: vectors of items and users that a graph of who chose what smooths."""

from homefeed.retrieve.lightgcn.retriever import Lightgcn

__all__ = ["Lightgcn"]
