"""Who may use a route: each says so where it is declared, and every request is judged by `authorise`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal, TypeVar

from starlette.exceptions import HTTPException

from homefeed.principals import Principal, Right

E = TypeVar("E", bound=Callable[..., Any])

IN_PATH: Final = "{app}"
"""The app of a route that has it in its path."""
NO_APP: Final = ""
"""That of a route about the server, which shows each what they may see."""
EVERY_APP: Final = "/"
"""That of a route which tells of all apps at once; a path names no app so, nor as NO_APP."""


@dataclass(frozen=True, slots=True)
class UserAt:
    """Where a request names the user it is about: in its path, its query, or each element of its JSON body."""

    where: Literal["path", "query", "body"]
    name: str


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of who uses it.

    Attributes:
        right: The least they must have; None where it is open to all, key or not.
        app: The app it is about: IN_PATH, NO_APP, EVERY_APP or the name of one.
        user: Where its user is named; None where holders of user tokens may not use it.
    """

    right: Right | None
    app: str = IN_PATH
    user: UserAt | None = None


OPEN: Final = Access(None, NO_APP)
PAGE: Final = Access("read", NO_APP)
"""What tells nothing of any app, such as a page of the documentation."""

_DECLARED: Final[dict[Callable[..., Any], Access]] = {}


def needs(right: Right, app: str = IN_PATH, user: UserAt | None = None) -> Callable[[E], E]:
    """Declare what an endpoint asks of who uses it; below the router's own decorator."""
    return _declare(Access(right, app, user))


def open_to_all(endpoint: E) -> E:
    """Declare that an endpoint is for everybody."""
    return _declare(OPEN)(endpoint)


def declared(endpoint: Callable[..., Any]) -> Access | None:
    """What an endpoint asks; None where it says nothing."""
    return _DECLARED.get(endpoint)


def authorise(principal: Principal, app: str, right: Right, users: Collection[object] = ()) -> None:
    """Let a principal have a right on an app, in the name of `users`.

    Raises:
        HTTPException: 403, they may not.
    """
    if not principal.may(right):
        raise _forbidden(f"this needs the right {right}, and the key has {principal.right}")
    if app == EVERY_APP and principal.app is not None:
        raise _forbidden("this tells of all apps, and the key is for one")
    if app not in (NO_APP, EVERY_APP) and principal.app not in (None, app):
        raise _forbidden("the key is for another app")
    if principal.user is not None and (not users or any(user != principal.user for user in users)):
        raise _forbidden("a user token is for what is of its own user alone, who must be named")


def _forbidden(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.FORBIDDEN, why)


def _declare(access: Access) -> Callable[[E], E]:
    def declare(endpoint: E) -> E:
        _DECLARED[endpoint] = access
        return endpoint

    return declare
