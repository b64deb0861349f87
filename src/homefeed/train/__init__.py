"""Training: jobs that read the log, fit an app's models and publish them."""

from homefeed.train.jobs import Trained, train_app
from homefeed.train.search import Budget
from homefeed.train.settings import divided, settings_facts, settings_of, tune_settings
from homefeed.train.tune import tune, with_tuned

__all__ = [
    "Budget",
    "Trained",
    "divided",
    "settings_facts",
    "settings_of",
    "train_app",
    "tune",
    "tune_settings",
    "with_tuned",
]
