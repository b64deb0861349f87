"""How often an item is chosen where it is shown, and others of its categories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.exposures import Doubles, ExposuresModel
from homefeed.catalog.windows import WINDOWS
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Codes, Floats, Query


class ClickRate:
    """How often the item is chosen where it is shown, beside others in the same places, in the last day and week:
    `click_rate_1d` and `click_rate_7d`; and, for each category field, all items of its category together:
    `FIELD_click_rate`. Each is x / (1 + |x|), from -1 to 1, where x = ln((chosen + s) / (expected + s)): 0 for
    what does as others do, or was not shown yet. `shown` is e / (1 + e), from 0 to 1, e being how often the item
    was expected to be chosen in the last week: how much is known of it.

    A choice is an event that serves the recipe's goal, put down to the latest showing of the item to its user
    within the `window` of `[impressions]`, one for each showing. A showing is expected to be chosen as often as
    those of the days before in its place were, so that what stands low is not taken for bad: clicks over expected
    clicks (Zhang & Jones 2007). Both fade, e^(-age / window), and count after one to two minutes. Pages of users
    who are not known count for nothing, and slates that are given again count once.
    """

    class Config(PartConfig):
        counts_exposures: ClassVar[bool] = True

        of: tuple[str, ...] = ()
        """Category fields of items: one feature more for each."""
        windows: tuple[Literal["1h", "1d", "7d"], ...] = ("1d", "7d")
        """Over how long the rates of items are taken; those of categories are of a week."""
        smoothing: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
        """s, in choices: with a larger one it takes more of them to come away from 0."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._config = config
        self._exposures, self._catalog = resources.exposures, resources.catalog
        self._partitions = resources.partitions
        self._columns = [resources.catalog.column(name, CategoryColumn) for name in config.of]
        self._windows = [list(WINDOWS).index(name) for name in config.windows]
        of_items = (f"click_rate_{name}" for name in config.windows)
        self.names = (*of_items, *(f"{name}_click_rate" for name in config.of), "shown")
        self._rates: tuple[tuple[object, int], list[Floats]] = ((None, -1), [])

    def refresh(self) -> None:
        """Sum up the categories anew where exposures or catalogue changed."""
        self._rates_of_items(self._exposures.model)

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, windows + fields + 1) by the exposures of one to two minutes ago."""
        model, positions = self._exposures.model, candidates.positions
        expected, chosen = model.of(self._catalog.numbers[positions])
        own = self._rate(expected, chosen)[:, self._windows]
        of_categories = [rates[positions][:, None] for rates in self._rates_of_items(model)]
        week = expected[:, -1:]
        return np.concatenate([own, *of_categories, week / (1 + week)], axis=1).astype(np.float32)

    def _rate(self, expected: Doubles, chosen: Doubles) -> Doubles:
        s = self._config.smoothing
        ratio = np.log((chosen + s) / (expected + s))
        rate: Doubles = ratio / (1 + np.abs(ratio))
        return rate

    def _rates_of_items(self, model: ExposuresModel) -> list[Floats]:
        """By field, (items,) the rate of all items of the same category, in the same partition."""
        if not self._columns:
            return []
        (of_model, generation), rates = self._rates
        if of_model is not model or generation != self._catalog.generation:
            now = self._catalog.snapshot
            expected, chosen = (column[:, -1] for column in model.of(now.numbers))
            partitions = self._partitions.codes(now.size)
            rates = [
                self._rates_within(each.codes(now.size), partitions, expected, chosen) for each in self._columns
            ]
            self._rates = ((model, now.generation), rates)
        return rates

    def _rates_within(self, codes: Codes, partitions: Codes, expected: Doubles, chosen: Doubles) -> Floats:
        groups = codes.astype(np.int64) + 1
        if self._partitions.are_apart:
            groups += partitions.astype(np.int64) * (int(codes.max(initial=-1)) + 2)
            groups = np.unique(groups, return_inverse=True)[1]
        sums = self._rate(*(np.bincount(groups, column).astype(np.float64) for column in (expected, chosen)))
        rates: Floats = np.where(codes >= 0, sums[groups], 0).astype(np.float32)
        return rates
