"""Training: jobs that read the log, fit an app's models and publish them."""

from homefeed.train.jobs import Trained, train_app

__all__ = ["Trained", "train_app"]
