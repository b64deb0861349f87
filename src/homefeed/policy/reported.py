"""What too many users complained of."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.catalog.signals import Doubles
from homefeed.errors import RecipeError
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Reported:
    """Filters out items with too many reports: the app's own count plus the number of different users who sent
    the event.

    A user counts once, however often they report.
    """

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        field: str | None = "reports"
        """The number field of items that holds the app's own count; `""` to go by the event alone."""
        event: str | None = "report"
        """The event type that reports an item, one of `signals.distinct`; `""` to go by the field alone."""
        min_reports: Annotated[int, Field(ge=1)] = 3
        """An item with so many reports is filtered out."""
        overlap: bool = False
        """Whether the field also counts the reports that arrive as events: then the larger of the two counts
        instead of their sum."""

        @field_validator("field", "event")
        @classmethod
        def _empty_is_none(cls, name: str | None) -> str | None:
            # A recipe cannot say None: TOML has no word for it.
            return name or None

        @model_validator(mode="after")
        def _something_counts(self) -> Self:
            if self.field is None and self.event is None:
                raise RecipeError("expected at least one of `field` and `event`")
            return self

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._counters = resources.counters
        self._column = None if config.field is None else resources.catalog.column(config.field, NumberColumn)
        self._mask: Mask = np.empty(0, np.bool_)
        self._as_of = (-1, -1)
        if config.event is not None and config.event not in resources.distinct:
            known = ", ".join(resources.distinct) or "none is there"
            raise RecipeError(f'event "{config.event}" is not one of signals.distinct ({known})')

    def filter(self, query: Query) -> Mask:  # noqa: ARG002
        """(items,) not reported too often."""
        now = self._catalog.generation, self._counters.version
        if now != self._as_of:
            self._mask, self._as_of = self._total() < self._config.min_reports, now
        return self._mask

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """How often, by which count, and how often is enough."""
        counts = {self._config.field: self._counted()[position], "told by users": self._told()[position]}
        total = self._total()[position]
        parts = ", ".join(f"{name}: {count:g}" for name, count in counts.items() if name and count)
        times = "time" if total == 1 else "times"
        return f"reported {total:g} {times} ({parts}); the limit is {self._config.min_reports}"

    def _total(self) -> Doubles:
        join = np.maximum if self._config.overlap else np.add
        total: Doubles = join(self._counted(), self._told())
        return total

    def _counted(self) -> Doubles:
        size = self._catalog.size
        return np.zeros(size) if self._column is None else np.nan_to_num(self._column.numbers(size))

    def _told(self) -> Doubles:
        size = self._catalog.size
        return np.zeros(size) if self._config.event is None else self._counters.distinct(self._config.event)[:size]
