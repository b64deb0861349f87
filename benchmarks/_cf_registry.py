"""The models under test, and who chooses the configuration of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from _cf_model import Model, Popular
from _cf_ours import HomefeedALS, ItemItem, ItemItemInOrder, choose
from _cf_rivals import (
    ImplicitALS,
    ImplicitItemItem,
    LensKitEase,
    LensKitImplicitMF,
    LensKitItemKNN,
    RecToolsEase,
    RecToolsPureSVD,
)
from _cf_tuning import Choice, random_search
from _lightgcn import Split

MODELS: Final[Mapping[str, Model]] = {
    model.name: model
    for model in (
        ItemItem(),
        ItemItemInOrder(),
        HomefeedALS(),
        Popular(),
        ImplicitALS(),
        ImplicitItemItem(),
        RecToolsEase(),
        RecToolsPureSVD(),
        LensKitItemKNN(),
        LensKitImplicitMF(),
        LensKitEase(),
    )
}

Chooser: TypeAlias = Callable[[Model, Split, float, int], Choice]
CHOOSERS: Final[Mapping[str, Chooser]] = dict.fromkeys(MODELS, random_search) | dict.fromkeys(
    (ItemItem.name, ItemItemInOrder.name), choose
)
"""Of a model, the data to try on, the seconds it may take and a seed."""
