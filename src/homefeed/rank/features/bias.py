"""What is the same for every candidate."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Bias:
    """1 for every candidate: what a learned ranker adds to all of them alike. A feed with `learned` has it."""

    class Config(PartConfig):
        """Nothing to set."""

    names = ("bias",)

    def __init__(self, config: Config, resources: Resources) -> None: ...

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) of 1."""
        return np.ones((len(candidates), 1), np.float32)
