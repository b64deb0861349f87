"""LightGCN fitted to small worlds: tests that use it need PyTorch."""

from __future__ import annotations

import pytest

from homefeed.retrieve.lightgcn.model import LightgcnConfig, LightgcnModel
from homefeed.retrieve.lightgcn.trainer import LightgcnTrainer
from homefeed.types import TrainingData

pytest.importorskip("torch")

SMALL = LightgcnConfig(factors=8, layers=2, epochs=40, learning_rate=0.05)


def fitted(data: TrainingData, config: LightgcnConfig = SMALL) -> LightgcnModel:
    """The model of a few steps."""
    return LightgcnTrainer(config).fit(data)
