"""A client of Homefeed's HTTP API, sync and async.

It needs httpx (`pip install 'homefeed[client]'`) and none of what a server needs.

    with Client("http://127.0.0.1:8000", "news") as client:
        page = client.recommend("home", user_id="ada", n=10)
        client.record(Event("ada", page.items[0].item_id, "click", request_id=page.request_id))
"""

try:
    import httpx as _httpx  # noqa: F401
except ModuleNotFoundError as error:  # a server does without it
    raise ModuleNotFoundError("homefeed.client needs httpx: pip install 'homefeed[client]'") from error

from homefeed.client.answers import (
    Erased,
    Explanation,
    Feed,
    Outcome,
    Page,
    Recommendation,
    Rejected,
    ServedApp,
    Stats,
)
from homefeed.client.blocking import Client
from homefeed.client.errors import (
    ClientError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NoAnswerError,
    NotFoundError,
    ProblemError,
    UnavailableError,
)
from homefeed.client.nonblocking import AsyncClient
from homefeed.client.records import Event, Item, ItemChange, User
from homefeed.client.retries import Retries

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "ConflictError",
    "Erased",
    "Event",
    "Explanation",
    "Feed",
    "ForbiddenError",
    "InvalidError",
    "Item",
    "ItemChange",
    "NoAnswerError",
    "NotFoundError",
    "Outcome",
    "Page",
    "ProblemError",
    "Recommendation",
    "Rejected",
    "Retries",
    "ServedApp",
    "Stats",
    "UnavailableError",
    "User",
]
