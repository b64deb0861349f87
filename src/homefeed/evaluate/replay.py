"""Who reads the future: requests asked again of a service that was never given it, and telling attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import NumberColumn
from homefeed.evaluate.judging import Lists
from homefeed.evaluate.leaks import Leak, past_by_age, telling_attributes, time_travellers
from homefeed.evaluate.protocol import sample_indices
from homefeed.evaluate.setting import Setting, set_up
from homefeed.evaluate.split import Case, Split
from homefeed.evaluate.systems import DEPTH, System, ask
from homefeed.types import Interactions, Positions, TrainingData

REPLAYED: Final = 50
"""At most so many requests are asked a second time."""


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
    """The systems that answer some of the cases otherwise when nothing of the test side is there.

    All is made anew from a copy of the training events alone, and the requests come in the order of their times,
    each with nothing but its own history. What differs was read from where no request has it: from events to come,
    or from later requests of others that were asked before. It may also be chance of a part's own, which makes
    figures that nobody can repeat. What a part reads from a file or the store by itself is not found.
    """
    chosen = sample_indices(len(cases), REPLAYED, seed)
    progress("training again", 0, 1)
    blind = replace(data, interactions=_copied(split.train))
    anew = set_up(setting.recipe, setting.catalog, blind, blind.interactions, split.cutoff, split.repeats)
    progress("training again", 1, 1)
    again: dict[int, dict[str, Positions]] = {}
    with threadpool_limits(1, "blas"):  # as they were asked before
        for done, row in enumerate(sorted(chosen, key=lambda row: cases[row].time), 1):
            again[row] = dict(ask(anew.feeds, systems, anew.query(data, cases[row], DEPTH)).lists)
            progress("asking again", done, len(chosen))
    now = {name: [answers[row] for row in chosen] for name, answers in lists.items()}
    return time_travellers(now, {name: [again[row][name] for row in chosen] for name in lists})


def telling_fields(catalog: CatalogView, split: Split, interactions: Interactions) -> tuple[Leak, ...]:
    """The catalogue's number fields that know how often items came up in events that were not trained on."""
    numbers = {
        name: catalog.column(name, NumberColumn).numbers(catalog.size)
        for name, kind in catalog.fields.items()
        if kind == "number"
    }
    past = past_by_age(split.train, catalog.size)
    every = np.bincount(interactions.items, minlength=catalog.size)
    return telling_attributes(numbers, past, every - past[:, 0])


def _copied(events: Interactions) -> Interactions:
    return Interactions(**{column.name: getattr(events, column.name).copy() for column in fields(events)})
