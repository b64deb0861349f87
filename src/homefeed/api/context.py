"""What routes take from the server: the live apps, the metrics, the id of the request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from homefeed.api.metrics import Metrics
from homefeed.errors import NotFoundError
from homefeed.principals import STATE, Principal
from homefeed.serving import LiveApp
from homefeed.serving.features.store import FeatureStore

if TYPE_CHECKING:
    from homefeed.api.overviews import Overviews


@dataclass(frozen=True, slots=True)
class Context:
    """The apps this server serves, by name, its metrics, its feature store and its overviews."""

    apps: Mapping[str, LiveApp]
    metrics: Metrics
    logs_impressions: bool
    features: FeatureStore
    overviews: Overviews

    def app(self, name: str, principal: Principal) -> LiveApp:
        """A served app; who may not know of the others is not told of them.

        Raises:
            NotFoundError: it is not served here.
        """
        found = self.apps.get(name)
        if found is None:
            others = ", ".join(self.seen_by(principal))
            raise NotFoundError(f'no app "{name}"' + (f"; served here: {others}" if others else " is served here"))
        return found

    def seen_by(self, principal: Principal) -> Mapping[str, LiveApp]:
        """The apps that a principal may know of."""
        return {name: app for name, app in self.apps.items() if principal.app in (None, name)}


async def get_context(request: Request) -> Context:
    """The server's context."""
    context: Context = request.app.state.context
    return context


async def get_app(app: str, request: Request) -> LiveApp:
    """The app named in the path."""
    context: Context = request.app.state.context
    return context.app(app, request.scope["state"][STATE])


def ready_made(name: str) -> Callable[[Request], Coroutine[Any, Any, LiveApp]]:
    """The dependency of a ready-made app's own routes: the app itself."""

    async def get_it(request: Request) -> LiveApp:
        context: Context = request.app.state.context
        return context.apps[name]

    return get_it


async def get_request_id(request: Request) -> str:
    """The id of this request."""
    request_id: str = request.state.request_id
    return request_id


async def get_sender(request: Request) -> Principal:
    """Who sends this request, as the guard knows them; an open route may know nobody."""
    principal: Principal = request.scope["state"][STATE]
    return principal


InContext = Annotated[Context, Depends(get_context)]
App = Annotated[LiveApp, Depends(get_app)]
Sender = Annotated[Principal, Depends(get_sender)]
RequestId = Annotated[str, Depends(get_request_id)]
