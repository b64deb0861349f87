"""Training: jobs that read the log, fit an app's models and publish them."""

from homefeed.train.jobs import Trained, train_app
from homefeed.train.search import Budget

__all__ = ["Budget", "Trained", "train_app"]
