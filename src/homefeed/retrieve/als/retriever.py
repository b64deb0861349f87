"""Serves the ALS model: the user's vector is solved from their latest events, so a new click needs no training."""

from __future__ import annotations

from homefeed.catalog import Resources
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.folded import FoldedConfig, FoldedIn


class Als(FoldedIn):
    """What a matrix factorisation predicts the user to prefer: the user's vector is solved from their latest
    events at the request. Items without events by the time of training are not proposed.

    An item's score is the inner product of its vector and the user's: a preference, mostly from 0 to 1. See
    `AlsModel.fold_in`: users need not be known to the model. A feed about an item is one for a user who liked that
    item alone.
    """

    class Config(FoldedConfig):
        model: str = "als"
        """The model of the recipe that it serves."""

    def __init__(self, config: Config, resources: Resources) -> None:
        super().__init__(config, resources, resources.model(config.model, AlsModel))
