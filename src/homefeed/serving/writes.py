"""Writes of items and users, each followed before it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from homefeed.errors import HomefeedError
from homefeed.recipe import Recipe
from homefeed.serving.features.sharing import Sharing
from homefeed.serving.follower import Follower
from homefeed.store import Store, items, users
from homefeed.store.erasing import forget_erased
from homefeed.store.items import ItemChange, ItemWrite
from homefeed.types import Item, User


class Writes:
    """Changes an app's items and users: what was written is in force for the next request on return.

    What is committed is never answered by an error: where following it fails it is in force a moment later.
    """

    def __init__(self, recipe: Recipe, store: Store, follower: Follower, sharing: Sharing) -> None:
        self._app, self._store, self._follower, self._sharing = recipe.app, store, follower, sharing
        self._kept_of_items, self._kept_of_users = recipe.items.moderation, recipe.kept_of_users
        # Whoever served before may have ended between the two.
        self._is_erasing = True

    async def put_items(self, writes: Sequence[ItemWrite]) -> int:
        """Create or replace items, the last one of an id winning; returns how many were new.

        What moderation says of an item stays where a write does not state it.
        """
        created = await items.put_items(self._store, self._app, writes, self._kept_of_items)
        await self._follow_items(write.item_id for write in writes)
        return created

    async def put_item(self, write: ItemWrite) -> Item:
        """Create or replace one item, likewise; returns it as it is now."""
        item = await items.put_item(self._store, self._app, write, self._kept_of_items)
        await self._follow_items([write.item_id])
        return item

    async def patch_item(self, item_id: str, attributes: Mapping[str, Any], hidden: bool | None = None) -> Item:
        """Change the named attributes (None takes one away) and, where given, whether it is hidden.

        Raises:
            NotFoundError: there is no such item.
            InvalidError: it would hold more than an item may.
        """
        item = await items.patch_item(self._store, self._app, item_id, attributes, hidden)
        await self._follow_items([item_id])
        return item

    async def patch_items(self, changes: Sequence[ItemChange]) -> list[HomefeedError | None]:
        """Change many items at once; why each was not changed, None where it was.

        See `store.items.patch_items`.
        """
        refused = await items.patch_items(self._store, self._app, changes)
        await self._follow_items(change.item_id for change in changes)
        return refused

    async def delete_item(self, item_id: str) -> None:
        """Delete an item. Its attributes are gone; its events stay in the log.

        Raises:
            NotFoundError: there is no such item.
        """
        await items.delete_item(self._store, self._app, item_id)
        self._is_erasing = True
        await self._follow_items([item_id])

    async def put_users(self, writes: Sequence[tuple[str, Mapping[str, Any]]]) -> int:
        """Create or replace users, as (user_id, attributes), the last of an id winning; returns how many were new.

        What a user refuses or blocks stays where a write does not state it.
        """
        created = await users.put_users(self._store, self._app, writes, self._kept_of_users)
        await self._follow_users(list(dict(writes)))
        return created

    async def put_user(self, user_id: str, attributes: Mapping[str, Any]) -> User:
        """Create or replace a user; returns them as they are now.

        What a user refuses or blocks stays where a write does not state it.
        """
        user = await users.put_user(self._store, self._app, user_id, attributes, self._kept_of_users)
        await self._follow_users([user_id])
        return user

    async def patch_user(
        self,
        user_id: str,
        attributes: Mapping[str, Any],
        *,
        create: bool = False,
        check: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> User:
        """Change the named attributes; None takes one away. See `store.users.patch_user`.

        Raises:
            NotFoundError: there is no such user.
            InvalidError: they would hold more than a user may, or what `check` refuses.
        """
        user = await users.patch_user(self._store, self._app, user_id, attributes, create=create, check=check)
        await self._follow_users([user_id])
        return user

    async def erase_user(self, user_id: str) -> int:
        """Erase a user, their events and what they were shown; returns how many events that were.

        They are out of the files with the next `forget_erased`.

        Raises:
            NotFoundError: there is no such user.
        """
        erased = await users.erase_user(self._store, self._app, user_id)
        self._is_erasing = True
        await self._follower.follow_written()
        await self._sharing.forget([user_id])
        return erased

    async def forget_erased(self) -> None:
        """Take what was deleted since the last time out of the store's files, too, as soon as that can be done."""
        if self._is_erasing:
            self._is_erasing = not await forget_erased(self._store)

    async def _follow_items(self, item_ids: Iterable[str]) -> None:
        await self._follower.follow_written()
        self._sharing.note(item_ids=item_ids)

    async def _follow_users(self, user_ids: Sequence[str]) -> None:
        await self._follower.follow_written()
        # Who opts out is not described again: what others were told of them must not stay.
        await self._sharing.forget(user_ids)
        self._sharing.note(user_ids)
