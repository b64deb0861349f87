"""LightGCN fitted to small worlds: tests that use it need PyTorch."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from homefeed.retrieve.lightgcn.model import LightgcnConfig, LightgcnModel
from homefeed.retrieve.lightgcn.trainer import LightgcnTrainer
from homefeed.types import TrainingData

# Imported where a test runs: it takes seconds of every worker that only looks for its tests.
if find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)

SMALL = LightgcnConfig(factors=8, layers=2, epochs=40, learning_rate=0.05)


def fitted(data: TrainingData, config: LightgcnConfig = SMALL) -> LightgcnModel:
    """The model of a few steps."""
    return LightgcnTrainer(config).fit(data)
