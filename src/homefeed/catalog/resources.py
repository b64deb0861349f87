"""What a part is built with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from homefeed.catalog.counters import Counters
from homefeed.catalog.exposures import Exposures
from homefeed.catalog.partitions import Partitions
from homefeed.catalog.view import CatalogView
from homefeed.errors import RecipeError
from homefeed.protocols import Model
from homefeed.types import Codes, Mask

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Resources:
    """An app's catalogue, counters and loaded models: every part of a feed is `Part(config, resources)`.

    `verbs` maps each of the recipe's event types, in the order of their codes, to what a user did: "saved";
    `distinct` are those of them whose different users are counted. `partitions` are those that what is derived of
    items and events keeps to. `degraded` are models that are not served as they were published, and why.
    `exposures` tell what was shown and chosen, where a part goes by that.
    """

    catalog: CatalogView
    counters: Counters
    models: Mapping[str, Model]
    verbs: Mapping[str, str] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()
    partitions: Partitions = field(default_factory=Partitions)
    degraded: Mapping[str, str] = field(default_factory=dict)
    exposures: Exposures = field(default_factory=Exposures)

    def model(self, name: str, kind: type[M]) -> M | None:
        """The model of that name, None while it is not trained."""
        found = self.models.get(name)
        return found if isinstance(found, kind) else None

    def event_codes(self, names: Collection[str]) -> Codes:
        """The codes of event types.

        Raises:
            RecipeError: the recipe declares no such event type.
        """
        known = list(self.verbs)
        for name in names:
            if name not in self.verbs:
                raise RecipeError(f'no event type "{name}"; expected some of {", ".join(known)}')
        return np.array([known.index(name) for name in names], np.int32)

    def event_mask(self, names: Collection[str]) -> Mask:
        """(event types,) which are among the names; index it by `History.types`.

        Raises:
            RecipeError: the recipe declares no such event type.
        """
        mask = np.zeros(len(self.verbs), np.bool_)
        mask[self.event_codes(names)] = True
        return mask

    def verb(self, code: int) -> str:
        """What a user did, by the code of the event type."""
        return list(self.verbs.values())[code]
