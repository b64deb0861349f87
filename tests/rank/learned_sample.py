"""Small trainers of each model that ranks."""

from __future__ import annotations

from homefeed.rank.click_model.model import ClickModelConfig
from homefeed.rank.click_model.trainer import ClickModelTrainer
from homefeed.rank.lambdamart.model import LambdamartConfig
from homefeed.rank.lambdamart.trainer import LambdamartTrainer
from homefeed.rank.value.model import ValueConfig
from homefeed.rank.value.trainer import ValueTrainer


def click_model() -> ClickModelTrainer:
    return ClickModelTrainer(ClickModelConfig())


def lambdamart(trees: int = 20) -> LambdamartTrainer:
    return LambdamartTrainer(LambdamartConfig(trees=trees, min_weight=0.1))


def value(trees: int = 20, **values: float) -> ValueTrainer:
    return ValueTrainer(ValueConfig(values=values or {"click": 1.0, "hide": -2.0}, trees=trees))
