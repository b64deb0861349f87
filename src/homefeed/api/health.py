"""Whether the server lives, and whether it is ready to answer."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from homefeed.api.access import open_to_all
from homefeed.api.context import InContext
from homefeed.api.guard import GuardedRoute
from homefeed.principals import STATE, Principal

router = APIRouter(tags=["health"], route_class=GuardedRoute)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class AppReadiness(BaseModel):
    """What an app answers from. `degraded` are models that are not served as they were published, and why.

    `stand_ins` say of feeds which retrievers stand in for those whose model is not there, and why.
    """

    items: int
    models: dict[str, str]
    degraded: dict[str, str]
    stand_ins: dict[str, str]
    store: bool


class FeatureStoreReadiness(BaseModel):
    """Where what replicas share is kept. `trouble` is why requests go on without it."""

    store: str
    trouble: str | None = None


class Readiness(BaseModel):
    """Whether every app can answer and take events; all can without the feature store.

    The details are for who has a key: of an app, or of all.
    """

    status: Literal["ready", "not ready"]
    apps: dict[str, AppReadiness] | None = None
    features: FeatureStoreReadiness | None = None


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
@open_to_all
async def healthz() -> Health:
    """Whether the process answers."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Readiness}}, response_model_exclude_unset=True)
@open_to_all
async def readyz(context: InContext, request: Request, response: Response) -> Readiness:
    """Whether every app's store takes writes, as far as the last ones tell: nothing is waited for; else 503."""
    is_ready = all(app.store.health.ok for app in context.apps.values())
    response.status_code = 200 if is_ready else 503
    status: Literal["ready", "not ready"] = "ready" if is_ready else "not ready"
    sender: Principal | None = request.scope["state"].get(STATE)
    if sender is None or sender.user is not None:
        return Readiness(status=status)
    apps = {
        name: AppReadiness(
            items=app.catalog.size,
            models=app.model_versions,
            degraded=app.degraded,
            stand_ins=app.stand_ins,
            store=app.store.health.ok,
        )
        for name, app in context.seen_by(sender).items()
    }
    features = FeatureStoreReadiness(store=context.features.name, trouble=context.features.trouble)
    return Readiness(status=status, apps=apps, features=features)
