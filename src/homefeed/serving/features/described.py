"""Users and items as features: read from the feature store, or described anew and put there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np

from homefeed.environment import Clock
from homefeed.privacy import apply_opt_out, opted_out
from homefeed.protocols import EmbedsUsers
from homefeed.recipe import Recipe
from homefeed.serving.features.layout import (
    ITEM_SECONDS,
    NO_EMBEDDING,
    NO_VECTOR,
    USER_SECONDS,
    Embedding,
    ItemFeatures,
    UserFeatures,
    pack_item,
    pack_user,
    unpack_item,
)
from homefeed.serving.features.sharing import Sharing, moment_of
from homefeed.serving.features.store import FeatureStore
from homefeed.serving.follower import Follower
from homefeed.serving.users import StoredUser
from homefeed.types import Query

_USERS_AT_ONCE: Final = 16
_USERS_A_FLUSH: Final = 256
_ITEMS_A_FLUSH: Final = 1_000


class DescribedFeatures:
    """The features of an app's users and items.

    What the store has is used as long as it says what this process knows to be so. Embeddings are those of the
    served model: a user's is folded in from what they did, without what they do not want used.
    """

    def __init__(self, recipe: Recipe, clock: Clock, follower: Follower, sharing: Sharing) -> None:
        self._recipe, self._clock, self._follower, self._sharing = recipe, clock, follower, sharing
        self._store, self._keys = sharing.store, sharing.keys

    @property
    def store(self) -> FeatureStore:
        """Where they are kept."""
        return self._store

    async def read(
        self, user_ids: Sequence[str] = (), item_ids: Sequence[str] = ()
    ) -> tuple[dict[str, UserFeatures], dict[str, ItemFeatures]]:
        """Up to 1,000 users and items in all, by their ids, without those that are not known: one round trip.

        What this process describes anew is a second one.
        """
        user_keys, item_keys = map(self._keys.user, user_ids), map(self._keys.item, item_ids)
        told = await self._sharing.told([*user_keys, *item_keys])
        if self._store.shared:
            await self._follower.follow_mark(self._sharing, told.mark)
        of_users = dict(zip(user_ids, told.values, strict=False))
        of_items = dict(zip(item_ids, told.values[len(user_ids) :], strict=True))
        users = {
            user_id: features
            for user_id, value in of_users.items()
            if value is not None and (features := self._usable(user_id, value)) is not None
        }
        users |= await self._described([user_id for user_id in of_users if user_id not in users])
        return users, await self._compared(of_items)

    async def _compared(self, values: Mapping[str, bytes | None]) -> dict[str, ItemFeatures]:
        """Items as this process knows them; where the store has something else, it is put right."""
        known = self._items_now(list(values))
        await self._store.delete([self._keys.item(i) for i, value in values.items() if value and i not in known])
        stale = [i for i in known if (value := values[i]) is None or not self._same(value, known[i])]
        packed = {self._keys.item(i): pack_item(known[i]) for i in stale}
        await self._store.write({key: value for key, value in packed.items() if value is not None}, ITEM_SECONDS)
        return known

    async def flush(self) -> None:
        """Describe some of those that wait, beside the requests; called once a second."""
        users, items = _taken(self._sharing.users, _USERS_A_FLUSH), _taken(self._sharing.items, _ITEMS_A_FLUSH)
        if self._store.trouble is not None:
            return
        for start in range(0, len(users), _USERS_AT_ONCE):
            await self._described(
                [u for u in users[start : start + _USERS_AT_ONCE] if self._follower.has_in_memory(u)]
            )
            await asyncio.sleep(0)
        if items:
            await self.read((), items)

    def _usable(self, user_id: str, value: bytes) -> UserFeatures | None:
        """What the store has of a user, if it is as new as what this process knows, and of the model it serves."""
        found = self._sharing.unpacked(value)
        if found is None or not self._sharing.holds(user_id, found, self._follower.known):
            return None
        return found if found.embedding.model == self._served()[1] else None

    def _same(self, value: bytes, now: ItemFeatures) -> bool:
        """Whether the store has an item as it is now."""
        found = unpack_item(value)
        self._store.stats.unusable += found is None
        return found is not None and (found.number, found.available, found.attributes, found.embedding.model) == (
            now.number,
            now.available,
            now.attributes,
            now.embedding.model,
        )

    async def _described(self, user_ids: Sequence[str]) -> dict[str, UserFeatures]:
        """Users as this process knows them, put into the store; who opted out is not."""
        found: dict[str, UserFeatures] = {}
        for user_id in user_ids:
            moment = moment_of(self._follower.known)  # what is read from here on is no older
            stored = await self._follower.stored_user(user_id)
            if opted_out(stored.attributes, self._recipe):
                stored = StoredUser(stored.number, stored.attributes)
            if stored.number is not None:
                found[user_id] = UserFeatures(moment, stored, self._embedding(user_id, stored))
        packed = {
            self._keys.user(user_id): pack_user(features, self._sharing.types)
            for user_id, features in found.items()
            if not opted_out(features.stored.attributes, self._recipe)
        }
        await self._store.write({key: value for key, value in packed.items() if value is not None}, USER_SECONDS)
        return found

    def _embedding(self, user_id: str, stored: StoredUser) -> Embedding:
        part, model = self._served()
        if part is None:
            return NO_EMBEDDING
        with self._follower.catalog.reading():
            state = apply_opt_out(self._follower.state_of(user_id, stored), self._recipe)
            query = Query(self._recipe.app, "", state, self._clock(), 1)
            return Embedding(model, NO_VECTOR if state.is_cold else part.user_embedding(query))

    def _items_now(self, item_ids: Sequence[str]) -> dict[str, ItemFeatures]:
        """Items as this process knows them."""
        part, model = self._served()
        catalog, now = self._follower.catalog, self._clock()
        places = {i: place for i in item_ids if (place := catalog.position(i)) is not None}
        positions = np.array(list(places.values()), np.int32)
        vectors = np.empty((len(places), 0), np.float32) if part is None else part.item_embeddings(positions)
        return {
            item_id: ItemFeatures(
                int(catalog.numbers[place]),
                now,
                bool(catalog.available[place]),
                catalog.attributes_json(place),
                Embedding(model, vector if vector.any() else NO_VECTOR),
            )
            for (item_id, place), vector in zip(places.items(), vectors, strict=True)
        }

    def _served(self) -> tuple[EmbedsUsers | None, str]:
        """The first retriever that has embeddings, of the home feed before others, and its model's version."""
        parts, home = self._follower.parts, self._recipe.home
        for feed in sorted(parts.feeds.values(), key=lambda feed: feed.name != home):
            for retriever, _ in feed.retrievers.values():
                if isinstance(retriever, EmbedsUsers) and retriever.embedding_model in parts.models.versions:
                    name = retriever.embedding_model
                    return retriever, f"{name}/{parts.models.versions[name]}"
        return None, ""


def _taken(waiting: dict[str, None], most: int) -> list[str]:
    """The first of those that wait, which wait no longer."""
    taken = list(islice(waiting, most))
    for name in taken:
        del waiting[name]
    return taken
