"""Serves the LightGCN model: a user's vector is what their latest events pass on to it along the graph."""

from __future__ import annotations

from homefeed.catalog import Resources
from homefeed.retrieve.folded import FoldedConfig, FoldedIn
from homefeed.retrieve.lightgcn.model import LightgcnModel


class Lightgcn(FoldedIn):
    """What a graph of all that users chose says the user would choose: the user's vector is made of their latest
    events at the request. Items without events by the time of training are not proposed.

    An item's score is the inner product of its vector and the user's: larger than another's where the user is
    likelier to choose it. See `LightgcnModel.fold_in`: users need not be known to the model. A feed about an item
    is one for a user who chose that item alone.
    """

    class Config(FoldedConfig):
        model: str = "lightgcn"
        """The model of the recipe that it serves."""

    def __init__(self, config: Config, resources: Resources) -> None:
        super().__init__(config, resources, resources.model(config.model, LightgcnModel))
