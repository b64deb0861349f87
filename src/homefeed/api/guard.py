"""The one place that every request passes on its way to a route: who sends it, and whether they may."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import ClassVar, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from homefeed.api.access import IN_PATH, OPEN, PAGE, Access, UserAt, authorise, declared
from homefeed.api.credentials import (
    beacon_credentials,
    bounded,
    header_credentials,
    parsed,
    read_body,
    replayed,
    wants_page,
)
from homefeed.api.queries import query_of
from homefeed.api.rates import charge
from homefeed.errors import UnauthorisedError
from homefeed.principals import ANYONE, REFUSED, STATE, Principal
from homefeed.serving.keyring import KeyRing
from homefeed.serving.tokens import Tokens

TOKEN_BYTES: Final = 262_144
"""The most that is read of the body of a request with a user token."""
_MOST_CHARACTERS: Final = 4_096
"""Of a key or a token: what is longer is not worth decoding."""
_BEARER: Final = 'Bearer realm="homefeed"'
_BASIC: Final = 'Basic realm="homefeed: any name, and a key as the password", charset="UTF-8"'


class Guard:
    """Admits requests by keys and user tokens; everybody where no key was ever made, as far as they are near.

    Without a key only what comes in at a loopback address is admitted, unless the server is said to be `insecure`.
    """

    def __init__(self, keys: KeyRing, tokens: Tokens, *, insecure: bool = False) -> None:
        self.keys, self._tokens, self._insecure = keys, tokens, insecure

    async def admit(self, access: Access, scope: Scope, receive: Receive, *, beacons: bool = False) -> Receive:
        """What a route is to receive by; the request's state has its principal from here on, or why there is none.

        Raises:
            HTTPException: 401, nobody is known by what the request says; 403, they may not do this; 413, it is
                too large for a token; 429, not now.
        """
        state = scope.setdefault("state", {})
        try:
            return await self._admit(access, scope, receive, state, beacons)
        except HTTPException as error:
            state[REFUSED] = error.detail
            raise

    async def _admit(
        self, access: Access, scope: Scope, receive: Receive, state: dict[str, object], beacons: bool
    ) -> Receive:
        credentials = header_credentials(scope)
        if beacons and credentials is None:
            credentials, receive = await beacon_credentials(scope, receive)
        if access.right is None:
            self._note_if_known(scope, credentials)
            return receive
        at = access.user
        principal = state[STATE] = self._principal(scope, credentials)
        app = scope["path_params"]["app"] if access.app == IN_PATH else access.app
        # A body is read after all else, and of a token's no more than a little.
        is_in_body = at is not None and at.where == "body"
        users = () if at is None else (principal.user,) if is_in_body else _named(at, scope)
        authorise(principal, app, access.right, users)
        await charge(scope, principal, app, principal.user or (users[-1] if users else None))
        if principal.user is None:
            return receive
        receive = bounded(scope, receive, TOKEN_BYTES)
        if at is not None and is_in_body:
            named, receive = await _named_in_body(at.name, receive)
            authorise(principal, app, access.right, named)
        return receive

    def _note_if_known(self, scope: Scope, credentials: str | None) -> None:
        try:
            scope.setdefault("state", {})[STATE] = self._principal(scope, credentials)
        except HTTPException:
            return

    def _principal(self, scope: Scope, credentials: str | None) -> Principal:
        if not self.keys.required:
            if self._insecure or _is_near(scope):
                return ANYONE
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                "this server has no key yet and answers its own machine alone: homefeed keys create",
            )
        if not credentials:
            raise _unauthorised(
                scope,
                "a key or a token is needed: Authorization: Bearer KEY, or KEY as password",
            )
        if len(credentials) > _MOST_CHARACTERS:
            raise _unauthorised(scope, f"a key or a token has at most {_MOST_CHARACTERS:,} characters")
        try:
            found = self.keys.find(credentials) if "." not in credentials else self._tokens.principal(credentials)
        except UnauthorisedError as error:
            raise _unauthorised(scope, str(error)) from None
        if found is None:
            raise _unauthorised(scope, "no such key, or it was revoked")
        return found


class GuardedRoute(APIRoute):
    """A route that only those reach whom the guard admits by what its endpoint declares."""

    takes_beacons: ClassVar[bool] = False
    """Whether what pages of allowed origins send as plain text is taken, and a token with it."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the guard first, also where the method is another."""
        access, guard = declared(self.endpoint), guard_of(scope)
        if access is None:
            raise TypeError(f"{self.path} says nothing of who may use it")
        await super().handle(scope, await guard.admit(access, scope, receive, beacons=self.takes_beacons), send)


def guard_of(scope: Scope) -> Guard:
    """The guard of the server that a request came to."""
    guard: Guard = scope["app"].state.guard
    return guard


def install(app: FastAPI, guard: Guard, pages: Collection[str]) -> None:
    """Put the guard in front of all routes, those at the paths of `pages` too, and of what has none.

    Raises:
        TypeError: a route says nothing of who may use it, or what is not there.
    """
    app.state.guard = guard
    app.router.default = _guarded(app.router.default)
    for found in iter_route_contexts(app.routes):
        route, path = found.original_route, str(found.path)
        if isinstance(route, GuardedRoute):
            _check(declared(route.endpoint), path)
        elif path in pages:
            route.handle = _guarded(route.handle)  # type: ignore[assignment]
        else:
            raise TypeError(f"{path} is not guarded: make it a GuardedRoute")


def _guarded(handle: ASGIApp) -> ASGIApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await handle(scope, await guard_of(scope).admit(PAGE, scope, receive), send)

    return guarded


def _check(access: Access | None, path: str) -> None:
    if access is None:
        raise TypeError(f"{path} says nothing of who may use it: declare it by needs() or open_to_all()")
    if access is not OPEN and (access.app == IN_PATH) != (IN_PATH in path):
        raise TypeError(f"{path}: needs() names no app, or another than its path")
    if access.user is not None and access.user.where == "path" and f"{{{access.user.name}" not in path:
        raise TypeError(f"{path}: needs() names a user who is not in its path")


def _named(at: UserAt, scope: Scope) -> Sequence[str]:
    """Every user that a request names in its path or its query; the last is the one that its route will read."""
    if at.where == "path":
        return (str(scope["path_params"][at.name]),)
    return [value for name, value in query_of(scope) if name == at.name]


async def _named_in_body(name: str, receive: Receive) -> tuple[list[object], Receive]:
    """The user whom each element of a body names, as its route will read it."""
    body = await read_body(receive)
    told = parsed(body)
    elements = told if isinstance(told, list) else [told]
    users = [each.get(name) if isinstance(each, dict) else None for each in elements]
    return users, replayed(body, receive)


@lru_cache(maxsize=128)
def is_loopback(host: str) -> bool:
    """Whether an address is reached from its own machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_near(scope: Scope) -> bool:
    """Whether a request came in at a loopback address, or by a socket in the file system, and from this machine.

    What a proxy on this machine passes on from elsewhere has the address that its `X-Forwarded-For` tells.
    """
    server, client = scope.get("server"), scope.get("client")
    return (server is None or is_loopback(server[0])) and (client is None or is_loopback(client[0]))


def _unauthorised(scope: Scope, why: str) -> HTTPException:
    challenge = _BASIC if wants_page(scope) else _BEARER
    return HTTPException(HTTPStatus.UNAUTHORIZED, why, {"WWW-Authenticate": challenge})
