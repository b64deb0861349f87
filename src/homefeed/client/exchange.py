"""What both clients do with a call: its request, its answer, and when to try it again. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import httpx

from homefeed.client.calls import Call
from homefeed.client.errors import ClientError, NoAnswerError, problem_of
from homefeed.client.retries import AGAIN, Retries

TIMEOUT_SECONDS: Final = 10.0
"""How long to wait for a connection, and for each part of an answer."""
NOT_FOUND: Final = 404
RETRIES: Final = Retries()

T = TypeVar("T")
E_co = TypeVar("E_co", covariant=True)


class Listing(Protocol[E_co]):
    """A page of anything."""

    @property
    def items(self) -> tuple[E_co, ...]:
        """What is on it."""

    @property
    def next_cursor(self) -> str | None:
        """What asks for the page after it; None where there is none."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """How to talk to one app of one server."""

    url: str
    app: str
    retries: Retries

    def __post_init__(self) -> None:
        if httpx.URL(self.url).scheme not in ("http", "https"):
            raise ValueError(f"url: expected http://host:port or https://host, got {self.url!r}")

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """The arguments of httpx's `request`."""
        below = call.path if call.path.startswith("/") else f"/v1/apps/{quote(self.app, safe='')}/{call.path}"
        headers = {"Accept": "application/json"}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": call.method,
            "url": self.url.rstrip("/") + below,
            "params": call.query or None,
            "content": call.body,
            "headers": headers,
        }

    def wait(self, attempt: int, outcome: httpx.Response | httpx.RequestError) -> float | None:
        """How many seconds to wait before the same is sent again; None where it is not."""
        if not isinstance(outcome, httpx.Response):
            return self.retries.seconds(attempt)
        if outcome.status_code not in AGAIN:
            return None
        return self.retries.seconds(attempt, outcome.headers.get("Retry-After"))

    def read(self, call: Call[T], outcome: httpx.Response | httpx.RequestError, attempt: int = 1) -> T:
        """What came of a call at its last attempt, counted from 1.

        Raises:
            NoAnswerError: there was no answer.
            ProblemError: the answer is an error.
            ClientError: it is not what this API answers.
        """
        if not isinstance(outcome, httpx.Response):
            raise NoAnswerError(
                f"no answer from {self.url}: {str(outcome) or type(outcome).__name__}"
            ) from outcome
        body = _json(outcome)
        if outcome.status_code == NOT_FOUND and attempt > 1 and call.gone is not None:
            return call.gone()
        if not outcome.is_success:
            raise problem_of(outcome.status_code, body)
        try:
            if outcome.content and not isinstance(body, Mapping):
                raise TypeError("expected a JSON object")
            return call.read(body or {})
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            told = f"{outcome.request.url} does not answer as Homefeed does"
            raise ClientError(f"{told}: is the url the right one?") from error


def said(api_key: str | None, token: str | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    """What every request says: the key or the token, and `headers`, which count where both name the same.

    Raises:
        ValueError: a key and a token are given.
    """
    if api_key is not None and token is not None:
        raise ValueError("api_key and token: expected one of the two")
    credentials = api_key if token is None else token
    known = {} if credentials is None else {"Authorization": f"Bearer {credentials}"}
    return known | dict(headers or {})


def _json(response: httpx.Response) -> Any:
    """What an answer holds; None where that is no JSON."""
    try:
        return response.json() if response.content else None
    except ValueError:
        return None
