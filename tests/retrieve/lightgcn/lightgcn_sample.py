"""LightGCN fitted to small worlds: tests that use it need PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.retrieve.lightgcn.model import LightgcnConfig, LightgcnModel
from homefeed.retrieve.lightgcn.trainer import LightgcnTrainer
from homefeed.types import Interactions, TrainingData

pytest.importorskip("torch")

SMALL = LightgcnConfig(factors=8, layers=2, epochs=40, learning_rate=0.05)


def fitted(data: TrainingData, config: LightgcnConfig = SMALL) -> LightgcnModel:
    """The model of a few steps."""
    return LightgcnTrainer(config).fit(data)


def data_of(events: list[tuple[int, int, float]], users: int = 5, items: int = 6, seed: int = 0) -> TrainingData:
    """Events as (user, item, strength), in order. The number of an item is 100 + its position."""
    rows, positions, strengths = zip(*events, strict=True) if events else ((), (), ())
    count = len(events)
    interactions = Interactions(
        np.array(rows, np.int32),
        np.array(positions, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
        np.array(strengths, np.float32),
        np.arange(count, dtype=np.int64),
    )
    return TrainingData(interactions, users, np.arange(100, 100 + items, dtype=np.int32), {}, count, seed)
