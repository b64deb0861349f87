"""The very same thing under two ids: of items that say exactly the same only one is shown."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.groups import Groups
from homefeed.errors import RecipeError
from homefeed.policy.repeats import Repeats
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Mask, Positions, Query
from homefeed.words import plain


class Duplicates:
    """As a filter: nothing that says exactly the same as another item that the user met: two files of one film. As
    a reranker: of items that say exactly the same only the best-ranked, and none where an earlier page showed one
    or the request is about one.
    """

    class Config(PartConfig):
        fields: Annotated[tuple[str, ...], Field(min_length=1)]
        """The fields that must all be equal; letter case and white space make no difference. An item without any
        of them has no duplicates."""
        drop: bool = True
        """Whether the reranker leaves the others out; else they come after all that is no duplicate."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where a field is not declared."""
        catalog, fields = resources.catalog, config.fields
        for name in fields:
            if name not in catalog.fields:
                known = ", ".join(catalog.fields)
                raise RecipeError(f'fields: "{name}" is not declared; expected some of {known}')
        self._catalog, self._drop = catalog, config.drop
        self._groups = catalog.derived(
            ("duplicates", *fields), lambda: Groups(catalog, partial(_keys, catalog, fields))
        )
        self._repeats = Repeats("duplicates", "the same as", catalog)

    def refresh(self) -> None:
        """Take over the items that came or changed, or else the next request does."""
        self._groups.of_all()

    def filter(self, query: Query) -> Mask:
        """(items,) no duplicate of what the user met."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[self._met_before(query)] = False
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether there is a duplicate of anything that the user met."""
        return len(self._met_before(query)) > 0

    def why(self, query: Query, position: int) -> str:
        """Of which of the user's items it is a duplicate."""
        items = query.user.ever.items
        same = items[self._groups.of_all()[items] == self._groups.of_all()[position]]
        return f'the same as "{self._catalog.title(int(same[-1]))}", which the user met as another item'

    def _met_before(self, query: Query) -> Positions:
        return query.scope.once(self, "filter.twins", lambda: self._groups.twins(query.user.ever.items))

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """One of each group."""
        return self._repeats.one_of_each(query, candidates, self._groups, drop=self._drop)


def _keys(
    catalog: CatalogView, fields: Sequence[str], positions: Positions
) -> Iterator[tuple[int, Hashable | None]]:
    """What an item says in the fields; None of one that says nothing."""
    for position in positions.tolist():
        said = tuple(plain(" ".join(catalog.terms_at(field, position))) for field in fields)
        yield position, said if any(said) else None
