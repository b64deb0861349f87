"""Training: jobs that read the log, fit an app's models and publish them."""

from homefeed.train.jobs import Trained, train_app
from homefeed.train.search import Budget
from homefeed.train.tune import tune, with_tuned

__all__ = ["Budget", "Trained", "train_app", "tune", "with_tuned"]
