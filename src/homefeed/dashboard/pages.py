"""The front door and the dashboard: one page and its assets, all from this package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from homefeed import __version__
from homefeed.api.access import NO_APP, needs
from homefeed.api.context import InContext, Sender
from homefeed.api.guard import GuardedRoute
from homefeed.errors import NotFoundError

router = APIRouter(include_in_schema=False, route_class=GuardedRoute)

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Where a browser knows it, data cannot become markup or script even by mistake.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # An upgrade shows at once: browsers revalidate every time, and an ETag spares them what has not changed.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, as it is sent."""

    content: bytes
    media_type: str
    etag: str


@router.get("/")
@needs("read", NO_APP)
async def front_door(request: Request, context: InContext, sender: Sender) -> Response:
    """Health for programs; the dashboard for browsers."""
    if "text/html" in request.headers.get("accept", ""):
        return _to_dashboard(request, {"Vary": "Accept"})
    health = {
        "status": "ok",
        "name": "Homefeed",
        "version": __version__,
        "docs": _at(request, "/docs"),
        "apps": list(context.seen_by(sender)),
    }
    return Response(orjson.dumps(health), headers={"Vary": "Accept"}, media_type="application/json")


@router.get("/dashboard")
@needs("read", NO_APP)
async def dashboard(request: Request) -> Response:
    """The dashboard."""
    return _answer(request, _page("dashboard.html"))


@router.get("/dashboard/")
@needs("read", NO_APP)
async def dashboard_with_slash(request: Request) -> Response:
    """The page's links are relative to `/dashboard`, so that they hold behind any proxy's prefix."""
    return _to_dashboard(request)


@router.get("/dashboard/static/{name}")
@needs("read", NO_APP)
async def static(request: Request, name: str) -> Response:
    """A style sheet, script or picture of the dashboard."""
    asset = _assets().get(name)
    if asset is None:
        raise NotFoundError(f'the dashboard has no file "{name:.80}"')
    return _answer(request, asset)


def _to_dashboard(request: Request, headers: dict[str, str] | None = None) -> Response:
    # The link names the app and the user to show.
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(_at(request, "/dashboard") + query, 307, headers=headers)


def _at(request: Request, path: str) -> str:
    return f"{request.scope.get('root_path', '')}{path}"


def _answer(request: Request, asset: Asset) -> Response:
    headers = _HEADERS | {"ETag": asset.etag}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@cache
def _assets() -> Mapping[str, Asset]:
    folder = resources.files(__package__) / "static"
    return MappingProxyType(
        {
            file.name: _asset(file.read_bytes(), _MEDIA_TYPES[PurePath(file.name).suffix])
            for file in sorted(folder.iterdir(), key=lambda file: file.name)
            if PurePath(file.name).suffix in _MEDIA_TYPES
        }
    )


@cache
def _page(template: str) -> Asset:
    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    text = environment.get_template(template).render(
        version=__version__,
        styles=[name for name in _assets() if name.endswith(".css")],
        scripts=[name for name in _assets() if name.endswith(".js")],
    )
    return _asset(text.encode(), "text/html; charset=utf-8")


def _asset(content: bytes, media_type: str) -> Asset:
    return Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:24]}"')
