"""The item-item model on disk."""

from __future__ import annotations

from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.testing import ModelContract, World


class TestItemItemModel(ModelContract):
    def make(self, world: World) -> ItemItemModel:
        model = world.resources.model("item_item", ItemItemModel)
        assert model is not None
        return model
