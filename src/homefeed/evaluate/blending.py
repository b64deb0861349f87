"""Makes an app's blend: how much each retriever says and, where wanted, the weights that serve the goal best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.blas import one_thread
from homefeed.catalog import CatalogView
from homefeed.engine.blending import ranker_of, retrievers_of, with_settings
from homefeed.evaluate.bootstrap import standard_error
from homefeed.evaluate.candidates import Replayed, replay_feeds
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import NamesFeatures
from homefeed.rank.blend import Blend, FeedBlend, RetrieverNumbers
from homefeed.rank.calibration import LEAST_SCORE, Calibration, calibration_table, weigh_evidence
from homefeed.rank.kernels import Doubles
from homefeed.rank.weighted import Weighted
from homefeed.recipe import FeedRecipe, Recipe
from homefeed.types import Floats, TrainingData

MAX_REQUESTS: Final = 1_000
"""How many requests a blend is made from at most."""
_MIN_REQUESTS: Final = 20
_FACTORS: Final = (0.0, 0.25, 0.5, 0.7, 1.4, 2.0, 4.0)
_ROUNDS: Final = 3
_RIDGE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class TunedWeights:
    """What tuning is worth: means of the goal's `metric` over `requests`, and whether the weights are taken.

    `tuned_mean` is of each half of the requests by the weights that were found on the other: on its own requests
    tuning always wins. They are taken where they are ahead of those of the recipe by more than `margin`, a
    standard error of the difference.
    """

    metric: str
    requests: int
    recipe_mean: float
    tuned_mean: float
    margin: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Blended:
    """A blend, and how the weights of each feed were found, where they were looked for."""

    blend: Blend
    tuned: Mapping[str, TunedWeights]

    def facts(self) -> dict[str, dict[str, Any]]:
        """By feed, how its weights were found, and those it has."""
        return {
            name: asdict(found) | {"weights": dict(self.blend.feeds[name].weights)}
            for name, found in self.tuned.items()
        }


def fit_blend(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    *,
    feeds: Sequence[str] | None = None,
    tune: bool = False,
    settings: Mapping[str, RetrieverNumbers] = MappingProxyType({}),
    progress: Progress = lambda _stage, _done, _total: None,
) -> Blended:
    """Calibrate the feeds for the goal that blend retrievers, all by default; with `tune`, weigh them anew, too.

    `settings` are numbers of retrievers that were tuned, by feed: they propose by these, and the blend keeps them.
    It is made from requests replayed on the latest tenth of the events, by models of those before. Where fewer
    than 20 can be, there is none.
    """
    names = [name for name in blending_feeds(recipe) if feeds is None or name in feeds]
    tuned_feeds = {name: with_settings(recipe.feeds[name], settings.get(name, {})) for name in names}
    served = replace(recipe, feeds={**recipe.feeds, **tuned_feeds})
    replayed = (
        replay_feeds(served, catalog, data, names, max_requests=MAX_REQUESTS, progress=progress) if names else {}
    )
    made: dict[str, FeedBlend] = {}
    tuned: dict[str, TunedWeights] = {}
    for done, (name, requests) in enumerate(replayed.items()):
        feed = recipe.feeds[name]
        if len(requests) < _MIN_REQUESTS or not requests.chosen.any():
            continue
        progress("blending", done, len(replayed))
        with one_thread():  # sums are rounded alike, however many cores there are
            made[name] = FeedBlend(calibrate(requests), retrievers_of(feed), settings=settings.get(name, {}))
            if tune and isinstance(feed.rank.config, Weighted.Config):
                config = feed.rank.config
                weights, tuned[name] = tune_weights(requests, made[name], config, recipe.goal.metric)
                if tuned[name].taken:
                    made[name] = replace(made[name], ranker=ranker_of(feed), weights=weights)
        progress("blending", done + 1, len(replayed))
    return Blended(Blend(made), tuned)


def blending_feeds(recipe: Recipe) -> list[str]:
    """The feeds for the goal that blend several retrievers."""
    feeds = ((name, recipe.feeds[name]) for name in recipe.goal_feeds)
    return [name for name, feed in feeds if len(feed.retrieve) > 1 and _goes_by_evidence(feed)]


def _goes_by_evidence(feed: FeedRecipe) -> bool:
    """Whether it counts in a feed what its retrievers say: not where the ranker weighs none of them."""
    if feed.learned is not None or not isinstance(feed.rank.config, NamesFeatures):
        return True
    return not {spec.name for spec in feed.retrieve}.isdisjoint(feed.rank.config.named_features.values())


def calibrate(requests: Replayed) -> dict[str, Calibration]:
    """Each retriever's calibration, by its name."""
    any_candidate = _log_odds(int(requests.chosen.sum()), len(requests.chosen))
    return {name: _calibration(requests, column, any_candidate) for column, name in enumerate(requests.retrievers)}


def _log_odds(chosen: int, shown: int) -> float:
    return float(np.log((chosen + 0.5) / (shown - chosen + 0.5)))


def _calibration(requests: Replayed, column: int, any_candidate: float) -> Calibration:
    """By logistic regression, less the log-odds of any candidate; by rank alone where none was chosen, or all.

    Of none no more is claimed than of any candidate, however few there were.
    """
    proposed = (requests.ranks[:, column] > 0) & np.isfinite(requests.scores[:, column])
    chosen = requests.chosen[proposed]
    if chosen.all() or not chosen.any():
        level = _log_odds(int(chosen.sum()), len(chosen)) - any_candidate if len(chosen) else 0.0
        return Calibration(level if chosen.any() else min(level, 0.0), 0.0, -0.1, 0.0)
    scores = np.log(np.maximum(requests.scores[proposed, column].astype(np.float64), LEAST_SCORE))
    ranks = np.log(requests.ranks[proposed, column].astype(np.float64))
    from sklearn.linear_model import LogisticRegression  # takes seconds to import, and hardly any command fits

    model = LogisticRegression(C=1.0, max_iter=1_000).fit(np.column_stack([scores, ranks, ranks**2]), chosen)
    found = [float(model.intercept_[0]) - any_candidate, *model.coef_[0].tolist(), scores.min(), ranks.max()]
    # Rounded, so that models that differ in their last digits, as on other processors, make the same blend.
    return Calibration(*(float(f"{number:.6g}") for number in found))


def tune_weights(
    requests: Replayed, blend: FeedBlend, config: Weighted.Config, metric: str
) -> tuple[dict[str, float], TunedWeights]:
    """The weights by which the requests are served best, and how they compare with the config's.

    None that is moved is below 0.

    The start is the best of the config's, of each retriever alone and of a conditional logit (McFadden,
    "Conditional Logit Analysis of Qualitative Choice Behavior", 1974), which makes what was chosen likely among
    its candidates. From there one weight after another is moved as long as the mean of the measure rises. Weights
    of features that the config does not name, names as `fixed` or gives a weight below 0 stay: those are policy.
    The comparison is of the requests of each half of the users with weights found on the other.
    """
    names = (*requests.retrievers, *requests.feature_names)
    table = np.column_stack([evidence_of(requests, blend.calibrations), requests.features]).astype(np.float64)
    own = np.array([config.weights.get(name, 0.0) for name in names])
    free = np.isin(names, list(config.weights)) & (own >= 0) & ~np.isin(names, config.fixed)

    own_values = requests.judged(metric, table @ own)
    difference = np.zeros(len(requests))
    sides = np.unique(requests.users, return_inverse=True)[1] % 2
    for half in (0, 1):
        learning, judging = (np.flatnonzero(sides == side) for side in (half, 1 - half))
        learned, judged = requests.take(learning), requests.take(judging)
        if not len(judged) or not learned.chosen.any():
            continue  # nothing to learn from, or to judge by, so nothing is claimed
        weights = _best(learned, table[np.isin(requests.requests, learning)], own, free, metric)
        values = judged.judged(metric, table[np.isin(requests.requests, judging)] @ weights)
        difference[judging] = values - own_values[judging]
    mean, margin = float(difference.mean()), standard_error(difference, requests.users)
    before = float(own_values.mean())
    found = TunedWeights(metric, len(requests), before, before + mean, margin, mean > margin)
    best = dict(zip(names, _best(requests, table, own, free, metric).tolist(), strict=True))
    return {name: best[name] for name in names if name in config.weights}, found


def _best(requests: Replayed, table: Doubles, own: Doubles, free: npt.NDArray[np.bool_], metric: str) -> Doubles:
    """The weights by which these requests, with the features (rows, features) in the table, are served best."""

    def judged(weights: Doubles) -> float:
        return float(requests.judged(metric, table @ weights).mean())

    fixed = np.where(free, 0.0, own)
    starts = [own, _logit(requests, table, own, free)]
    starts += [
        np.where(np.arange(len(own)) == column, 1.0, fixed)
        for column in range(len(requests.retrievers))
        if free[column]
    ]
    best = _ascended(max(starts, key=judged), free, judged)
    return np.where(free, [float(f"{weight:.4g}") for weight in best.tolist()], own)


def evidence_of(requests: Replayed, calibrations: Mapping[str, Calibration]) -> Floats:
    """(rows, retrievers) what each retriever says of each candidate."""
    features = np.zeros_like(requests.scores)
    weigh_evidence(requests.scores, requests.ranks, calibration_table(requests.retrievers, calibrations), features)
    return features


def _logit(requests: Replayed, table: Doubles, own: Doubles, free: npt.NDArray[np.bool_]) -> Doubles:
    """The free weights, at least 0, that make the choices among each request's candidates likeliest."""
    of_request = requests.requests
    hits = np.bincount(of_request, requests.chosen, minlength=len(requests))
    rows = hits[of_request] > 0
    if not rows.any() or not free.any():
        return own
    _, request = np.unique(of_request[rows], return_inverse=True)
    starts = np.searchsorted(request, np.arange(request.max() + 1))
    columns, target = table[rows][:, free], requests.chosen[rows] / hits[of_request[rows]]
    given = table[rows] @ np.where(free, 0.0, own)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        scores = columns @ weights + given
        scores -= np.maximum.reduceat(scores, starts)[request]
        sums = np.add.reduceat(np.exp(scores), starts)
        likely = np.exp(scores) / sums[request]
        value = (np.log(sums).sum() - target @ scores) / len(starts) + _RIDGE / 2 * weights @ weights
        return float(value), columns.T @ (likely - target) / len(starts) + _RIDGE * weights

    from scipy.optimize import minimize  # likewise

    found = minimize(loss, np.full(free.sum(), 0.5), jac=True, method="L-BFGS-B", bounds=[(0, None)] * free.sum())
    weights = own.copy()
    weights[free] = found.x
    return weights


def _ascended(start: Doubles, free: npt.NDArray[np.bool_], judged: Callable[[Doubles], float]) -> Doubles:
    """Moved weight by weight while the mean rises, a few rounds at most."""
    best, value = start.copy(), judged(start)
    for _ in range(_ROUNDS):
        before = value
        for column in np.flatnonzero(free).tolist():
            here = best[column]
            for moved in [here * factor for factor in _FACTORS] if here > 0 else [0.1, 0.3, 1.0]:
                tried = best.copy()
                tried[column] = moved
                if (reached := judged(tried)) > value + 1e-6:
                    best, value = tried, reached
        if value <= before:
            break
    return best
