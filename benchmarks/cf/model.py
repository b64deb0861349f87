"""What every model is to the benchmarks: how it is fitted, asked and varied. For any interpreter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.cf.lightgcn import Matrix, Top

Config: TypeAlias = Mapping[str, Any]
Draw: TypeAlias = Callable[[np.random.Generator], Any]
Users: TypeAlias = npt.NDArray[np.int64]


class Model(ABC):
    """A model under test. It can run where `modules` can be imported."""

    name: ClassVar[str]
    modules: ClassVar[tuple[str, ...]] = ()
    in_order: ClassVar[bool] = False
    """Whether it is told the places of items in lines, where these are in the order of time."""

    @property
    def defaults(self) -> Config:
        """The configuration untuned."""
        return {}

    @property
    def space(self) -> Mapping[str, Draw]:
        """How to draw each value that is tuned."""
        return {}

    def gigabytes(self, items: int) -> float:  # noqa: ARG002
        """What the fit takes at least, where it grows with the square of the items."""
        return 0.0

    def prepare(self, train: Matrix) -> Any:
        """The data as the library wants them: not part of what is measured."""
        return train

    @abstractmethod
    def fit(self, data: Any, config: Config, seed: int) -> Any:
        """The fitted model, of what `prepare` gave."""

    @abstractmethod
    def top(self, fitted: Any, train: Matrix, users: Users, k: int) -> Top:
        """(users, k) the best items of each of the users, without those of their training rows."""


def one_of(*values: Any) -> Draw:
    """One of the values, each as likely."""
    return lambda rng: values[int(rng.integers(len(values)))]


def between(low: float, high: float) -> Draw:
    """A number of the range, in steps of a hundredth."""
    return lambda rng: round(float(rng.uniform(low, high)), 2)


def log_between(low: float, high: float) -> Draw:
    """A number of the range, each order of magnitude as likely, to two digits."""
    return lambda rng: float(f"{np.exp(rng.uniform(np.log(low), np.log(high))):.2g}")


def best_of_blocks(
    scores_of: Callable[[Users], npt.NDArray[np.float32]], train: Matrix, users: Users, k: int, at_once: int = 256
) -> Top:
    """The best of dense scores, asked for a few users at a time; the first of equals first."""
    top = np.full((len(users), k), -1, np.int32)
    width = min(k, train.shape[1])
    for start in range(0, len(users), at_once):
        block = users[start : start + at_once]
        scores = scores_of(block)
        seen = train[block]
        scores[np.repeat(np.arange(len(block)), np.diff(seen.indptr)), seen.indices] = -np.inf
        best = np.sort(np.argpartition(-scores, width - 1)[:, :width])
        ranked = np.take_along_axis(scores, best, axis=1)
        order = np.argsort(-ranked, axis=1, kind="stable")
        known = np.isfinite(np.take_along_axis(ranked, order, axis=1))
        top[start : start + at_once, :width] = np.where(known, np.take_along_axis(best, order, axis=1), -1)
    return top


class Popular(Model):
    """The baseline: to everyone the items that most users have."""

    name = "popular"

    def fit(self, data: Matrix, config: Config, seed: int) -> npt.NDArray[np.int64]:  # noqa: ARG002
        """(items,) from the most popular down; the first of equals first."""
        return np.argsort(-np.bincount(data.indices, minlength=data.shape[1]), kind="stable")

    def top(self, fitted: npt.NDArray[np.int64], train: Matrix, users: Users, k: int) -> Top:
        """The first that the user does not have."""
        top = np.full((len(users), k), -1, np.int32)
        for row, user in enumerate(users.tolist()):
            seen = train.indices[train.indptr[user] : train.indptr[user + 1]]
            first = fitted[: k + len(seen)]
            new = first[np.isin(first, seen, invert=True)][:k]
            top[row, : len(new)] = new
        return top
