"""Systems that read the future: requests repeated on a service without it; and attributes that contain it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import NumberColumn
from homefeed.evaluate.judging import Lists
from homefeed.evaluate.leaks import Leak, leaking_attributes, leaking_systems, past_by_age
from homefeed.evaluate.protocol import sample_indices
from homefeed.evaluate.setting import Setting, set_up
from homefeed.evaluate.split import Case, Split
from homefeed.evaluate.systems import DEPTH, System, run_systems
from homefeed.types import Interactions, Positions, TrainingData

REPLAYED: Final = 50
"""The maximum number of requests that are repeated."""


def replay(
    setting: Setting,
    data: TrainingData,
    split: Split,
    systems: Sequence[System],
    cases: Sequence[Case],
    lists: Lists,
    *,
    seed: int,
    progress: Callable[[str, int, int], None],
) -> tuple[Leak, ...]:
    """The systems that answer some of the cases differently without the test side.

    Everything is trained again on a copy of the training events only, and the requests come in the order of their
    times, each with only its own history. A difference was read from where no request has it: from later events,
    or from later requests that were answered before. It may also be a part's own randomness, which makes figures
    that cannot be repeated. What a part reads from a file or the store by itself is not found.
    """
    chosen = sample_indices(len(cases), REPLAYED, seed)
    progress("training again", 0, 1)
    blind = replace(data, interactions=_copied(split.train))
    retrained = set_up(setting.recipe, setting.catalog, blind, blind.interactions, split.cutoff, split.repeats)
    progress("training again", 1, 1)
    again: dict[int, dict[str, Positions]] = {}
    with threadpool_limits(1, "blas"):  # as in the first run
        for done, row in enumerate(sorted(chosen, key=lambda row: cases[row].time), 1):
            again[row] = dict(
                run_systems(retrained.feeds, systems, retrained.query(data, cases[row], DEPTH)).lists
            )
            progress("requests again", done, len(chosen))
    now = {name: [answers[row] for row in chosen] for name, answers in lists.items()}
    return leaking_systems(now, {name: [again[row][name] for row in chosen] for name in lists})


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
