"""The models under test, and who chooses the configuration of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from benchmarks.cf.lightgcn import Split
from benchmarks.cf.model import Model, Popular
from benchmarks.cf.ours import HomefeedALS, HomefeedLightGCN, ItemItem, ItemItemInOrder, choose
from benchmarks.cf.rivals import (
    ImplicitALS,
    ImplicitItemItem,
    LensKitEase,
    LensKitImplicitMF,
    LensKitItemKNN,
    RecToolsEase,
    RecToolsPureSVD,
)
from benchmarks.cf.tuning import Choice, random_search

MODELS: Final[Mapping[str, Model]] = {
    model.name: model
    for model in (
        ItemItem(),
        ItemItemInOrder(),
        HomefeedALS(),
        HomefeedLightGCN(),
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
