"""The users of the sample: where they are, what they like, and how much nearness means to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from homefeed.samples import Rng, Weights
from homefeed.samples.cities import Places, draw_cities, draw_languages, load_cities, settle
from homefeed.samples.live.categories import CATEGORIES, CATEGORY_SHARES, SEGMENTS, STYLES
from homefeed.types import Codes, Floats, Mask

_COLD_SHARE: Final = 0.03
_MOST_LIKED: Final = 4
_TOLD: Final = 0.9  # how often users tell a category that they like
_TOLD_IN_ERROR: Final = 0.15  # how often they tell another one, too
_HOURS: Final = 60.0  # watched by a user of middling activity, ever


@dataclass(frozen=True)
class Viewers:
    """The users as columns.

    `local` (users,) is how much nearness means to each, 0 to 1. `liking` (users, segments) is what they truly
    like: the segment liked best is 1; `of_category` (users, categories) is the square root of the best of each.
    `told` (users, categories) are the categories that they say they prefer. Nobody with an `activity` of 0 does
    anything.
    """

    at: Places
    language: Codes
    local: Weights
    liking: Floats
    of_category: Floats
    told: Mask
    activity: Weights
    hours: Weights


def plan_viewers(count: int, rng: Rng) -> Viewers:
    """Users of all cities; a few of them have not watched anything yet."""
    at = settle(draw_cities(load_cities().people, count, rng), rng)
    language = draw_languages(at.city, rng)
    liking = _plan_liking(count, rng)
    of_category = np.sqrt(liking.reshape(count, len(CATEGORIES), STYLES).max(axis=2))
    activity = np.minimum(0.25 * (1 + rng.pareto(1.5, count)), 15.0)
    if count > 1:
        activity[rng.permutation(count)[: max(1, round(_COLD_SHARE * count))]] = 0.0
    return Viewers(
        at=at,
        language=language,
        local=rng.beta(1.1, 1.2, count).round(3),
        liking=liking,
        of_category=of_category,
        told=_tell(of_category, rng),
        activity=activity,
        hours=(_HOURS * activity * rng.lognormal(0.0, 0.5, count)).round(1),
    )


def _plan_liking(count: int, rng: Rng) -> Floats:
    """One to four categories each, and mostly one or two of the styles of each."""
    lure = np.log(CATEGORY_SHARES) + rng.gumbel(size=(count, len(CATEGORIES)))
    best = np.argsort(-lure, axis=1)[:, :_MOST_LIKED]
    weight = 0.2 + rng.gamma(1.5, size=best.shape)
    weight[np.arange(_MOST_LIKED) >= rng.integers(1, _MOST_LIKED + 1, count)[:, None]] = 0.0
    # Most of a style preference is the same in every category: that is what carries over between categories.
    general = rng.dirichlet((0.1,) * STYLES, (count, 1))
    style = 0.75 * general + 0.25 * rng.dirichlet((0.1,) * STYLES, best.shape)
    liking = np.zeros((count, len(CATEGORIES), STYLES), np.float32)
    liking[np.arange(count)[:, None], best] = weight[:, :, None] * style
    segments: Floats = liking.reshape(count, SEGMENTS)
    segments /= segments.max(axis=1, keepdims=True)
    return segments


def _tell(of_category: Floats, rng: Rng) -> Mask:
    """The categories of what each likes, told with a few errors; at least one."""
    told: Mask = (of_category > 0) & (rng.random(of_category.shape) < _TOLD)
    rows = np.flatnonzero(rng.random(len(told)) < _TOLD_IN_ERROR)
    told[rows, rng.integers(0, len(CATEGORIES), len(rows))] = True
    told[np.arange(len(told)), of_category.argmax(axis=1)] |= ~told.any(axis=1)
    return told
