"""Sequences: what users come to after what."""

from homefeed.retrieve.sequence.retriever import Sequence

__all__ = ["Sequence"]
