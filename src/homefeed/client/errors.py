"""What goes wrong with a request: the sentence of the server's problem document, or that there was no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ClientError(Exception):
    """Base of all errors of the client."""


class NoAnswerError(ClientError):
    """The server could not be reached, or did not answer in time, as often as it was tried."""


class ProblemError(ClientError):
    """The server's answer is an error; as text it is what is wrong and what to do.

    `errors` names each value that is wrong, where there are several; `request_id` is what the server's log has it
    under.
    """

    def __init__(
        self, status: int, detail: str, request_id: str | None = None, errors: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.request_id, self.errors = status, detail, request_id, tuple(errors)


class InvalidError(ProblemError):
    """400, 413, 415 or 422: the request cannot be used."""


class ForbiddenError(ProblemError):
    """401 or 403: the key or token is missing or wrong, or may not do this."""


class NotFoundError(ProblemError):
    """404: there is no such app, feed, item or user."""


class ConflictError(ProblemError):
    """409: it contradicts what is stored."""


class UnavailableError(ProblemError):
    """429, 502, 503 or 504: not now, and it was tried again as often as it should be."""


_KINDS: Mapping[int, type[ProblemError]] = {
    400: InvalidError,
    401: ForbiddenError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidError,
    415: InvalidError,
    422: InvalidError,
    429: UnavailableError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def problem_of(status: int, body: object) -> ProblemError:
    """The error that an answer's status and JSON tell; what a proxy says is no problem document."""
    told = body if isinstance(body, Mapping) else {}
    detail = str(told.get("detail") or f"the server answered {status}")
    request_id, errors = told.get("request_id"), told.get("errors")
    known = [each for each in errors if isinstance(each, Mapping)] if isinstance(errors, list) else []
    kind = _KINDS.get(status, ProblemError)
    return kind(status, detail, request_id if isinstance(request_id, str) else None, known)
