"""The names by which a server may be asked for.

A page whose own name was made to point at this machine (DNS rebinding) is of the server's origin to a browser, and
could read and write all of it. Its requests say that name as their `Host`, which no page can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


class Hosts:
    """Loopback names, the address listened at, and what the setting `allowed_hosts` adds.

    A server that listens at every address of its machine answers to any address: none can be made to point to it.
    """

    def __init__(self, address: str, allowed: Iterable[str]) -> None:
        given = {name.lower() for name in allowed}
        self._names = _LOOPBACK | {address.lower()} | given
        self._endings = tuple(name[1:] for name in given if name.startswith("*."))
        self._any_address = _is_address(address) and ip_address(address).is_unspecified
        self._any = "*" in given
        self.admit: Callable[[str], bool] = lru_cache(maxsize=128)(self._admit)
        """Whether a request with this `Host` is answered."""

    def _admit(self, host: str) -> bool:
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        name = name.lower().removesuffix(".")
        return (
            name in self._names
            or name.endswith(self._endings)
            or self._any
            or (self._any_address and _is_address(name))
        )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
