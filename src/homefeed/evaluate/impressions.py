"""What was shown, asked again as the clock runs: the features of pages that were written down without any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from homefeed.catalog import CatalogView
from homefeed.catalog.exposures import Showings
from homefeed.dataset.ranking_rows import OTHER_FEED, PagesRead, RankingRows
from homefeed.evaluate.rolling import MAX_TRAININGS, Progress, RollingService, training_period, trainings_due
from homefeed.evaluate.setting import Setting
from homefeed.evaluate.split import Case
from homefeed.funnel import Feed, rank
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import Recipe
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Query, Scores, Times, TrainingData, UserState

NOT_THERE: Final = "of items that are not in the catalogue any more"
TOO_EARLY: Final = "shown before anything was known to train on"

_NO_ROWS: Final = np.empty(0, np.int64)


def replay_impressions(
    recipe: Recipe,
    catalog: CatalogView,
    data: TrainingData,
    feed: str,
    shown: RankingRows,
    *,
    due: Times | None = None,
    blend: Blend | None = None,
    rankers: Mapping[str, Model] = MappingProxyType({}),
    given: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> RankingRows:
    """The same lists with the features and the scores that the feed would have given them at their moments.

    At each list counters and the user's history hold the events strictly before it, exposures what these lists
    showed until one to two minutes before, as a server would count it, and models are those of the latest of the
    trainings `due`, by default as often as the recipe's jobs train, from the first list on. The feed's retrievers
    are asked as at serving, and its extractors describe what they propose together with what was shown: by the
    code that serves. With `given` the candidates are what was shown and nothing else, as of a feed that is to
    order a list it is given. What nobody wrote down is as if nothing had been asked for: conditions of the
    request, items it excluded, searches, and attributes of users without any event.

    Lists that another feed would have answered are left out and counted; so are items that are gone.
    """
    positions = catalog.positions(shown.items)
    due = _due(recipe, data, shown) if due is None else due
    parts: list[_Part] = []
    left_out: Counter[str] = Counter()
    if not len(due):
        return _joined(shown, parts, Counter({TOO_EARLY: int(shown.pages.sum())}), None)
    showings = _showings(shown) if recipe.counts_exposures else None
    service = RollingService(recipe, catalog, data, due, True, [feed], progress, blend, rankers, showings)
    users, asked = _Users(data), None
    with ThreadpoolController().limit(limits=1, user_api="blas"):  # as the server does
        for number, time in enumerate(shown.times.tolist()):
            part: _Part | str = TOO_EARLY
            if time >= due[0]:
                setting = service.at(time)
                asked = replace(setting.feeds[feed], rerankers={})
                query = replace(users.query(setting, data, shown, number), feed=feed)
                part = _part(asked, query, shown, positions, number, catalog.size if given else None)
            if isinstance(part, str):
                left_out[part] += int(shown.pages[number])
            else:
                parts.append(part)
            progress("replaying what was shown", number + 1, len(shown))
    return _joined(shown, parts, left_out, asked)


def _showings(shown: RankingRows) -> Showings:
    """The items of the lists in the order of time, of users who are known."""
    lists = np.repeat(np.arange(len(shown)), np.diff(shown.data.starts))
    users = shown.users[lists]
    return Showings(shown.times[lists], users, shown.items, shown.places).take(users >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What the feed said of the rows (n,) of a list that are there."""

    number: int
    rows: npt.NDArray[np.intp]
    features: Floats
    scores: Scores


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Lets the items at these positions pass."""

    positions: Positions
    size: int

    def filter(self, query: Query) -> Mask:  # noqa: ARG002
        """(items,) which are among them."""
        mask = np.zeros(self.size, np.bool_)
        mask[self.positions] = True
        return mask


def _part(
    feed: Feed, query: Query, shown: RankingRows, positions: Positions, number: int, size: int | None
) -> _Part | str:
    """A list as the feed ranks it, or why it is left out; of the catalogue's `size`, if told, nothing else."""
    start, stop = shown.data.starts[number : number + 2].tolist()
    there = start + np.flatnonzero(positions[start:stop] >= 0)
    if not len(there):
        return NOT_THERE
    if size is not None:
        feed = replace(feed, filters={**feed.filters, "given": _Given(positions[there], size)})
    ranked = rank(feed, query, also=positions[there])
    if ranked.feed.name != feed.name:
        return OTHER_FEED
    found = ranked.candidates
    rising = np.argsort(found.positions)
    rows = rising[np.searchsorted(found.positions[rising], positions[there])]
    features = np.nan_to_num(found.features[rows], posinf=0.0, neginf=0.0)
    return _Part(number, there, features, found.scores[rows])


def _joined(shown: RankingRows, parts: Sequence[_Part], left_out: Counter[str], feed: Feed | None) -> RankingRows:
    """The lists that were asked again, with what was found of them."""
    names = () if feed is None else feed.feature_names
    kept = shown.take(np.array([part.number for part in parts], np.intp))
    nothing = np.empty(0, np.int64), np.empty((0, len(names)), np.float32), np.empty(0, np.float32)
    rows = np.concatenate([nothing[0], *(part.rows for part in parts)])
    lengths = [len(part.rows) for part in parts]
    data = replace(
        shown.data,
        feature_names=names,
        features=np.concatenate([nothing[1], *(part.features for part in parts)]),
        starts=np.cumsum([0, *lengths]),
        outcomes=shown.data.outcomes[rows],
        chosen=shown.data.chosen[rows],
        weights=shown.data.weights[rows],
        items=shown.data.items[rows],
        calibrated=feed is not None and feed.calibration is not None,
    )
    read = shown.read
    return replace(
        kept,
        data=data,
        served_by=["" if feed is None else f"{feed.name}/{feed.ranked_by}"] * len(parts),
        items=shown.items[rows],
        places=shown.places[rows],
        propensities=shown.propensities[rows],
        served=np.concatenate([nothing[2], *(part.scores for part in parts)]),
        read=PagesRead(read.pages, read.taken - left_out.total(), dict(Counter(read.left_out) + left_out)),
    )


def _due(recipe: Recipe, data: TrainingData, shown: RankingRows) -> Times:
    """When models are trained: first for the first list that has any event before it."""
    events = data.interactions.times
    times = shown.times[shown.times > events[0]] if len(events) else shown.times[:0]
    if not len(times):
        return times
    return trainings_due(int(times[0]), times, training_period(recipe), MAX_TRAININGS)


class _Users:
    """The users of lists as they were at a moment."""

    def __init__(self, data: TrainingData) -> None:
        events = data.interactions
        self._rows = np.argsort(events.users, kind="stable")  # of each user in the order of time
        self._starts = np.searchsorted(events.users[self._rows], np.arange(data.user_count + 1))
        self._times = events.times
        self._row_of = {number: row for row, number in enumerate(data.user_numbers.tolist())}

    def query(self, setting: Setting, data: TrainingData, shown: RankingRows, number: int) -> Query:
        """The request of a list, for a page of as many items as it seems to have had."""
        user, time = int(shown.users[number]), int(shown.times[number])
        first, last = shown.data.starts[number : number + 2].tolist()
        n = -(-(int(shown.places[first:last].max()) + 1) // int(shown.pages[number]))
        row = self._row_of.get(user)
        if row is None:
            nobody = UserState(None if user < 0 else str(user))
            return Query(app=setting.recipe.app, feed="", user=nobody, now=time, n=n)
        rows = self._rows[self._starts[row] : self._starts[row + 1]]
        history = rows[: int(np.searchsorted(self._times[rows], time))]
        return setting.query(data, Case(row, history, NO_POSITIONS, _NO_ROWS, time), n)
