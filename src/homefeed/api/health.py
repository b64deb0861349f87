"""Whether the server lives, and whether it is ready to answer."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from homefeed.api.context import InContext

router = APIRouter(tags=["health"])


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
    """Whether every app can answer and take events; all can without the feature store."""

    status: Literal["ready", "not ready"]
    apps: dict[str, AppReadiness]
    features: FeatureStoreReadiness


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process answers."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(context: InContext, response: Response) -> Readiness:
    """Whether every app's store takes writes, as far as the last ones tell: nothing is waited for; else 503."""
    apps = {
        name: AppReadiness(
            items=app.catalog.size,
            models=app.model_versions,
            degraded=app.degraded,
            stand_ins=app.stand_ins,
            store=app.store.health.ok,
        )
        for name, app in context.apps.items()
    }
    ready = all(app.store for app in apps.values())
    response.status_code = 200 if ready else 503
    features = FeatureStoreReadiness(store=context.features.name, trouble=context.features.trouble)
    return Readiness(status="ready" if ready else "not ready", apps=apps, features=features)
