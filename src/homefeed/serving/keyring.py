"""The keys of a server in memory: no request reads the store for its key."""

from __future__ import annotations

import hmac
from typing import Final

from homefeed.environment import Clock
from homefeed.principals import Principal
from homefeed.store import Store
from homefeed.store.keys import ApiKey, list_keys, note_used, split_key

_NO_DIGEST: Final = bytes(32)


class KeyRing:
    """The keys as of the last `follow`; before the first, no key is right and one is needed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: dict[str, tuple[bytes, Principal]] = {}
        self._used: dict[str, int] = {}
        self.required = True
        """Whether a key is needed: one was made, be it revoked by now."""

    async def follow(self, store: Store) -> None:
        """Take over what was made and revoked, by whatever process."""
        keys = await list_keys(store)
        self._keys = {key.key_id: (key.digest, _principal(key)) for key in keys if key.revoked_at is None}
        self.required = bool(keys)

    async def write_used(self, store: Store) -> None:
        """Write down which keys were used since the last time, and when."""
        if used := self._used:
            self._used = {}
            await note_used(store, used)

    def find(self, text: str) -> Principal | None:
        """Who has the key; None of a wrong or revoked one, which takes as long to find out."""
        parts = split_key(text)
        if parts is None:
            return None
        key_id, digest = parts
        known, principal = self._keys.get(key_id, (_NO_DIGEST, None))
        if not hmac.compare_digest(known, digest) or principal is None:
            return None
        self._used[key_id] = self._clock()
        return principal


def _principal(key: ApiKey) -> Principal:
    return Principal(key.key_id, key.right, key.app)
