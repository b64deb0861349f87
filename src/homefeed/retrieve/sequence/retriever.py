"""Serves the sequence model from the user's latest events: a new click needs no training."""

from __future__ import annotations

from typing import ClassVar

from homefeed.retrieve.item_item import ItemItem
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.sequence.model import SequenceModel


class Sequence(ItemItem):
    """What users came to after the items of the user's latest events, the latest of all first.

    An item's score is the weighted sum of what each of those items says of it. Costs what the neighbour lists of
    those events hold, whatever the size of the catalogue.
    """

    MODEL: ClassVar[type[ItemItemModel]] = SequenceModel

    class Config(ItemItem.Config):
        model: str = "sequence"
        """The model of the recipe that it serves."""
        reason: str = "Because you chose {title}"
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = "Next after {title}"
        """The reason in a feed about an item; {title} is that item."""
