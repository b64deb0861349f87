"""The figures of all systems' lists: accuracy, and its cost in coverage, novelty and diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.evaluate.metrics import (
    Judged,
    PerItem,
    PerUser,
    coverage,
    gini,
    intra_list_diversity,
    judge,
    novelty,
    per_user,
    recall,
    share_of_users,
)
from homefeed.evaluate.setting import Setting
from homefeed.evaluate.systems import DEEP, DEPTH
from homefeed.retrieve.content.latent import latent_vectors
from homefeed.retrieve.content.model import ContentModel
from homefeed.types import Floats, Interactions, Positions, TrainingData

Lists: TypeAlias = Mapping[str, Sequence[Positions]]
"""Every system's ranked positions, request by request."""
Values: TypeAlias = Mapping[str, Mapping[str, PerUser]]
"""Every system's values of a measure, user by user: system to measure to (users,)."""

MAIN: Final = ("recall@20", "ndcg@10", "coverage@20")
"""The figures of a narrow table."""
TESTED: Final = ("recall@20", "ndcg@10", "map@10")
"""The measures tested for chance."""
PER_USER: Final = ("ndcg@10", "recall@20")
"""The measures also reported user by user, and by length of history."""
METRICS: Final = (
    *("recall@20", "ndcg@10", "map@10", "mrr@10", "hit_rate@10"),
    *("recall@10", "ndcg@20", "map@20", "mrr@20", "hit_rate@20"),
    "recall@100",
)
CURVE: Final = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
"""The depths of the recall curve."""

_MAX_DIMENSIONS: Final = 64
_MAX_WORDS: Final = 50_000


def judge_lists(lists: Lists, targets: Sequence[Positions]) -> dict[str, Judged]:
    """Every system's lists compared with the targets."""
    return {system: judge(ranked, targets) for system, ranked in lists.items()}


def values_of(lists: Lists, judged_lists: Mapping[str, Judged], popularity: PerItem, vectors: Floats) -> Values:
    """All measures that have a value for every user.

    `popularity` (items,) is the share of users who had each item, `vectors` (items, d) describe it.
    """
    found: dict[str, dict[str, PerUser]] = {}
    for system, ranked in lists.items():
        accuracy = per_user(judged_lists[system], (10, DEPTH, DEEP))
        found[system] = {metric: accuracy[metric] for metric in METRICS} | {
            f"novelty@{DEPTH}": novelty(ranked, popularity, DEPTH),
            f"diversity@{DEPTH}": intra_list_diversity(ranked, vectors, DEPTH),
        }
    return found


def figures_of(lists: Lists, eligible: npt.NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """The figures of whole systems: the share of the `eligible` (items,) they show, and how unevenly."""
    return {
        system: {
            f"coverage@{DEPTH}": coverage(ranked, eligible, DEPTH),
            f"gini@{DEPTH}": gini(ranked, eligible, DEPTH),
        }
        for system, ranked in lists.items()
    }


def recall_curves(judged_lists: Mapping[str, Judged]) -> dict[str, tuple[float, ...]]:
    """Each system's mean recall at each depth of `CURVE`."""
    return {
        system: tuple(float(recall(judged, k).mean()) for k in CURVE) for system, judged in judged_lists.items()
    }


def popularity_of(past: Interactions, item_count: int) -> PerItem:
    """(items,) the share of users with an event with each in the past."""
    return share_of_users(past.users, past.items, item_count)


def item_vectors(setting: Setting, data: TrainingData) -> Floats:
    """(items, d) unit vectors by which items are compared, 0 where an item has no known words.

    Those of the recipe's content model; where it has none, TF-IDF of all of the items' terms, reduced as that
    model would be.
    """
    trained = (model for model in setting.models.values() if isinstance(model, ContentModel))
    model = next(trained, None)
    if model is None:
        fields = dict.fromkeys(data.terms, 1.0)
        numbers, of_items = data.numbers, latent_vectors(data, fields, _MAX_WORDS, _MAX_DIMENSIONS)
    else:
        numbers, of_items = model.numbers, model.vectors
    vectors = np.zeros((setting.catalog.size, of_items.shape[1]), np.float32)
    positions = setting.catalog.positions(numbers)
    here = positions >= 0
    vectors[positions[here]] = of_items[here]
    return vectors
