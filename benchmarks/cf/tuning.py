"""A configuration chosen on a part of the training data, within so many seconds. For any interpreter."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.cf.lightgcn import CUT, Split, judged, users_to_judge
from benchmarks.cf.model import Config, Model


@dataclass(frozen=True)
class Choice:
    """What was chosen, after how many trials; its mean NDCG where there were any."""

    config: Config
    trials: int = 0
    ndcg: float | None = None


def random_search(
    model: Model, split: Split, seconds: float, seed: int, clock: Callable[[], float] = time.perf_counter
) -> Choice:
    """The best by NDCG of the defaults and of draws from the model's space.

    Random search is Bergstra & Bengio's (JMLR 13, 2012). The first trial runs whatever it takes; another starts
    only if one of the mean length would end in time.
    """
    users = users_to_judge(split)
    if seconds <= 0 or not model.space or len(users) == 0:
        return Choice(model.defaults)
    rng = np.random.default_rng(seed)
    start = clock()
    data = model.prepare(split.train)
    best = Choice(model.defaults)
    trials, spent = 0, 0.0
    while trials == 0 or clock() - start + spent / trials <= seconds:
        drawn = {name: draw(rng) for name, draw in model.space.items()} if trials else {}
        config = {**model.defaults, **drawn}
        began = clock()
        top = model.top(model.fit(data, config, seed), split.train, users, CUT)
        ndcg = float(judged(top, split, users)[f"ndcg@{CUT}"].mean())
        trials, spent = trials + 1, spent + clock() - began
        if best.ndcg is None or ndcg > best.ndcg:
            best = Choice(config, ndcg=ndcg)
    return Choice(best.config, trials, best.ndcg)
