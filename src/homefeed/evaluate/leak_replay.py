"""Systems that read the future: requests repeated on a service without it; and attributes that contain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from threadpoolctl import ThreadpoolController

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import NumberColumn
from homefeed.evaluate.judging import Lists
from homefeed.evaluate.leaks import Leak, leaking_attributes, leaking_systems, past_by_age
from homefeed.evaluate.protocol import sample_indices
from homefeed.evaluate.rolling import Progress, service_of
from homefeed.evaluate.served import ServedPages
from homefeed.evaluate.split import Case, Split
from homefeed.evaluate.systems import DEPTH, System, run_systems
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import Recipe
from homefeed.types import Interactions, Positions, Times, TrainingData

REPLAYED: Final = 50
"""The maximum number of requests that are repeated."""


class LeakReplay:
    """Some of the requests, answered by a service that never had anything of the future.

    Everything is trained again on a copy of the past events only, and the requests come in the order of their
    times, each with only its own history. A difference was read from where no request has it: from later events,
    or from later requests that were answered before. It may also be a part's own randomness, which makes figures
    that cannot be repeated. What a part reads from a file or the store by itself is not found. Of a rolling split
    the requests are those of one training, the one that answers most.
    """

    def __init__(
        self,
        recipe: Recipe,
        catalog: CatalogView,
        data: TrainingData,
        split: Split,
        due: Times,
        systems: Sequence[System],
        cases: Sequence[Case],
        seed: int,
        progress: Progress,
        blend: Blend | None = None,
        rankers: Mapping[str, Model] = MappingProxyType({}),
    ) -> None:
        self._systems, self._cases, self._data, self._progress = systems, cases, data, progress
        self._rows = np.arange(len(cases))
        past = split.train
        if split.kind == "rolling":
            times = np.array([case.time for case in cases])
            training = np.searchsorted(due, times, side="right") - 1
            most = int(np.bincount(training).argmax())
            self._rows, due = np.flatnonzero(training == most), due[most : most + 1]
            past = data.interactions.take(data.interactions.times < times[self._rows].max())
        drawn = sample_indices(len(self._rows), REPLAYED, seed)
        self.chosen: list[int] = self._rows[drawn].tolist()
        blind = replace(data, interactions=_copied(past))
        if split.kind != "rolling":
            split = replace(split, train=blind.interactions)
        feeds = list(dict.fromkeys(system.feed for system in systems))
        self._pages = ServedPages(feeds)
        self._service = service_of(recipe, catalog, blind, split, due, feeds, self._report, blend, rankers)

    def leaks(self, lists: Lists) -> tuple[Leak, ...]:
        """The systems whose `lists`, which they gave to all of the requests, are others without the future."""
        again: dict[int, dict[str, Positions]] = {}
        chosen, blas = set(self.chosen), ThreadpoolController()
        for row in sorted(self._rows.tolist(), key=lambda row: self._cases[row].time):
            setting = self._service.at(self._cases[row].time)  # as often as at first: sums are rounded alike
            if row not in chosen:
                continue
            with blas.limit(limits=1, user_api="blas"):  # as in the first run
                query = setting.query(self._data, self._cases[row], DEPTH)
                again[row] = dict(run_systems(setting.feeds, setting.week, self._systems, query).lists)
                # Who learns from requests sees the same ones.
                self._pages.ask(setting, self._data, self._cases[row])
            self._progress("requests again", len(again), len(chosen))
        now = {name: [answers[row] for row in self.chosen] for name, answers in lists.items()}
        return leaking_systems(now, {name: [again[row][name] for row in self.chosen] for name in lists})

    def _report(self, _stage: str, done: int, total: int) -> None:
        self._progress("training again", done, total)


def leaking_fields(catalog: CatalogView, split: Split, interactions: Interactions) -> tuple[Leak, ...]:
    """The catalogue's number fields that contain the items' counts in events that were not trained on."""
    numbers = {
        name: catalog.column(name, NumberColumn).numbers(catalog.size)
        for name, kind in catalog.fields.items()
        if kind == "number"
    }
    past = past_by_age(split.train, catalog.size)
    every = np.bincount(interactions.items, minlength=catalog.size)
    return leaking_attributes(numbers, past, every - past[:, 0])


def _copied(events: Interactions) -> Interactions:
    return Interactions(**{column.name: getattr(events, column.name).copy() for column in fields(events)})
