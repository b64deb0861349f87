"""Item-item collaborative filtering: what those who watched this also watched."""

from homefeed.retrieve.item_item.retriever import ItemItem

__all__ = ["ItemItem"]
