"""User tokens: JSON Web Tokens (RFC 7519, HS256) by which a browser or a phone asks for its own user alone.

An app's back end signs them with a secret of the app: `sub` is the user, `aud` the app, `exp` when it ends. They
are checked without the store; none is valid for longer than the setting max_token_seconds allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt
from pydantic import SecretStr

from homefeed.environment import Clock
from homefeed.errors import UnauthorisedError
from homefeed.principals import Principal
from homefeed.types import SECOND

_ALGORITHM: Final = "HS256"
_CLOCKS_APART: Final = 10
"""By how many seconds the clock of whoever signs may differ."""
_CLAIMS: Final[Any] = {"require": ["aud", "exp", "sub"]} | dict.fromkeys(
    ("verify_exp", "verify_iat", "verify_nbf"), False
)
"""Times are compared here, by the server's clock."""


class Tokens:
    """Tells whose token one is: by any of the secrets of the app that it is for."""

    def __init__(self, secrets: Mapping[str, Sequence[SecretStr]], max_seconds: float, clock: Clock) -> None:
        self._secrets, self._max_seconds, self._clock = secrets, max_seconds, clock

    def principal(self, text: str) -> Principal:
        """Who has the token.

        Raises:
            UnauthorisedError: it is not signed by a secret of its app, has ended, or is valid for too long.
        """
        try:
            app = jwt.decode(text, options={"verify_signature": False})["aud"]
            claims = self._claims(text, app)
        except (jwt.InvalidTokenError, KeyError, ValueError):
            raise UnauthorisedError("the token is not signed by a secret of its app") from None
        now = self._clock() / SECOND
        begins, ends = claims.get("nbf", now), claims["exp"]
        if not _is_time(begins) or not _is_time(ends):
            raise UnauthorisedError("the token's exp and nbf: expected seconds since 1970")
        if ends <= now - _CLOCKS_APART:
            raise UnauthorisedError("the token has ended; get a new one")
        if begins > now + _CLOCKS_APART:
            raise UnauthorisedError("the token is not valid yet")
        if ends > now + self._max_seconds + _CLOCKS_APART:
            raise UnauthorisedError(f"the token lasts more than {self._max_seconds:g} seconds; sign shorter ones")
        return Principal(f"token:{app}", "write", app, claims["sub"])

    def _claims(self, text: str, app: object) -> dict[str, Any]:
        for secret in self._secrets.get(app, ()) if isinstance(app, str) else ():
            try:
                key = secret.get_secret_value()
                return jwt.decode(text, key, algorithms=[_ALGORITHM], audience=str(app), options=_CLAIMS)
            except jwt.InvalidSignatureError:
                continue
        raise jwt.InvalidTokenError


def sign_token(secret: SecretStr, app: str, user_id: str, now: int, seconds: float) -> str:
    """A token of a user of an app, for so many seconds from `now`, in microseconds since 1970."""
    claims = {"sub": user_id, "aud": app, "iat": now // SECOND, "exp": now // SECOND + int(seconds)}
    return jwt.encode(claims, secret.get_secret_value(), _ALGORITHM)


def _is_time(value: object) -> bool:
    # A NaN is neither before nor after any time. Whole numbers are finite, and may be too large to be asked.
    is_finite = math.isfinite(value) if isinstance(value, float) else isinstance(value, int)
    return is_finite and not isinstance(value, bool)
