"""What a part is built with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from homefeed.catalog.counters import Counters
from homefeed.catalog.view import CatalogView
from homefeed.protocols import Model

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Resources:
    """An app's catalogue, counters and loaded models: every part of a feed is `Part(config, resources)`."""

    catalog: CatalogView
    counters: Counters
    models: Mapping[str, Model]

    def model(self, name: str, kind: type[M]) -> M | None:
        """The model of that name, None while it is not trained."""
        found = self.models.get(name)
        return found if isinstance(found, kind) else None
