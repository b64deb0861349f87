"""User tokens: signed by a secret of their app, of a user, for a while; nothing else is one."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from homefeed.errors import UnauthorisedError
from homefeed.principals import Principal
from homefeed.serving.tokens import Tokens, sign_token
from homefeed.types import SECOND

NOW = 1_700_000_000
OLD, NEW, OTHER = (SecretStr(letter * 64) for letter in "onx")
TOKENS = Tokens({"shop": (NEW, OLD), "films": (OTHER,), "none": ()}, 600, lambda: NOW * SECOND)
CLAIMS = {"sub": "u", "aud": "shop", "exp": NOW + 60}


def signed(secret: SecretStr = NEW, algorithm: str = "HS256", **claims: Any) -> str:
    told = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(told, secret.get_secret_value(), algorithm)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_token_is_known_by_any_secret_of_its_app(secret: SecretStr) -> None:
    text = sign_token(secret, "shop", "ann", NOW * SECOND, 600)
    assert TOKENS.principal(text) == Principal("token:shop", "write", "shop", "ann")


def unsigned(algorithm: str) -> str:
    parts = ({"alg": algorithm, "typ": "JWT"}, CLAIMS)
    head, claims = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts)
    return f"{head}.{claims}."


@pytest.mark.parametrize(
    "text",
    [
        signed(OTHER),
        signed(aud="films"),
        signed(aud="none"),
        signed(aud="nowhere"),
        signed(aud=["shop", "films"]),
        signed(aud=None),
        signed(sub=None),
        signed(sub=7),
        signed(exp=None),
        signed(exp="soon"),
        signed(algorithm="HS512"),
        unsigned("none"),
        unsigned("HS256"),
        signed()[:-1],
        signed() + "x",
        "a.b.c",
        "..",
        "é.é.é",
        f"{signed().split('.')[0]}.{base64.urlsafe_b64encode(b'[' * 150_000).decode()}.",
    ],
)
def test_what_is_not_signed_for_this_app_is_none(text: str) -> None:
    with pytest.raises(UnauthorisedError):
        TOKENS.principal(text)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": NOW - 10}, "has ended"),
        ({"exp": NOW + 611}, "lasts more than 600 seconds"),
        ({"nbf": NOW + 11}, "not valid yet"),
        ({"exp": True}, "seconds since 1970"),
        ({"exp": float("nan")}, "seconds since 1970"),
        ({"exp": float("inf")}, "seconds since 1970"),
        ({"nbf": float("nan")}, "seconds since 1970"),
        ({"nbf": float("-inf")}, "seconds since 1970"),
        ({"exp": 10**400}, "lasts more than 600 seconds"),
    ],
)
def test_a_token_holds_for_its_time(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(UnauthorisedError, match=why):
        TOKENS.principal(signed(**claims))
    TOKENS.principal(signed(exp=NOW - 9))
    TOKENS.principal(signed(exp=NOW + 610, nbf=NOW + 10, iat=NOW + 99))
