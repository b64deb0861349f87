"""Routers and routes: bodies are strict JSON; an endpoint whose parameters are plain is called without detours.

FastAPI solves every kind of parameter and serialises every answer by a model, which costs more than most pages do.
An endpoint that makes its own `Response` and takes nothing but text, numbers and lists of them from path and query
is called directly; FastAPI documents it all the same, and says what is wrong with a request that it cannot take.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from fastapi import APIRouter, Request, Response, params
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from homefeed.api.guard import GuardedRoute
from homefeed.api.origins import is_beacon
from homefeed.api.parameters import refuse_mistaken
from homefeed.api.queries import query_of
from homefeed.numerals import load_json

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

JSON: Final = "application/json"

_PLAIN: Final = (str, int, float, bool, UUID, NoneType)


class Router(APIRouter):
    """A router that is passed over at once for a path which begins like none of its routes."""

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        return tuple({str(getattr(route, "path", "")).split("{")[0] for route in self.routes})

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether one of the routes is for the request, and which parameters its path holds."""
        # Behind a proxy's prefix the path may hold more than the routes know of.
        is_whole = scope["type"] == "http" and not scope.get("root_path")
        if is_whole and not scope["path"].startswith(self._beginnings):
            return Match.NONE, {}
        return super().matches(scope)


class _StrictRequest(Request):
    async def json(self) -> Any:
        # The standard library lets in what no store can hold, such as half a surrogate pair.
        return load_json(await self.body())


class StrictRoute(GuardedRoute):
    """A route whose JSON bodies are read by orjson, and whose endpoint is called directly where it can be.

    A body is read only where its `Content-Type` is one that the route documents. A page of another origin can have
    a browser send plain text or a form, but not JSON: that browsers do only after asking the server.
    """

    def get_route_handler(self) -> Handler:
        """Handle the request directly, and leave to FastAPI what that cannot do."""
        handler, types = super().get_route_handler(), self._body_types()

        async def strict(request: Request) -> Response:
            scope = request.scope
            if types and (sent := body_type(request)) not in types and _has_body(request):
                if not (self.takes_beacons and is_beacon(request, sent)):
                    raise HTTPException(415, f"Content-Type: expected {' or '.join(types)}")
                scope = _as_json(scope)
            return await handler(_StrictRequest(scope, request.receive))

        plan = plan_of(self.endpoint, self.param_convertors)
        return strict if plan is None else plan.handler(strict)

    def _body_types(self) -> tuple[str, ...]:
        """The media types of bodies that the route reads; none where it reads no body."""
        documented = (self.openapi_extra or {}).get("requestBody", {}).get("content")
        return tuple(documented or ((JSON,) if self.body_field is not None else ()))


class BeaconRoute(StrictRoute):
    """A route that reads what `navigator.sendBeacon` sends from pages of allowed origins."""

    takes_beacons = True


def _as_json(scope: Scope) -> Scope:
    """The same request as one whose body is said to be JSON."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "headers": [*headers, (b"content-type", JSON.encode())]}


def body_type(request: Request) -> str:
    """The media type of a request's body; `application/json` for each that is JSON by its suffix."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return JSON if found.startswith("application/") and found.endswith("+json") else found


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of an endpoint, as it is called there; `many` where it may be given several times."""

    name: str
    validate: Callable[[Any], Any]
    many: bool = False


@dataclass(frozen=True, slots=True)
class _Dependency:
    """A coroutine of the request and of texts in its path that makes what an endpoint takes as `name`."""

    name: str
    call: Callable[..., Coroutine[Any, Any, Any]]
    request: str | None
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to call an endpoint: where each of its parameters comes from. `query` is by the name in the URL."""

    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    request: str | None
    path: tuple[_Parameter, ...]
    query: Mapping[str, _Parameter]
    dependencies: tuple[_Dependency, ...]
    defaults: Mapping[str, Any]
    required: frozenset[str]
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", frozenset(self.query))

    def handler(self, otherwise: Handler) -> Handler:
        """Calls the endpoint; `otherwise` answers a request whose parameters cannot be used."""

        async def direct(request: Request) -> Response:
            try:
                arguments = self._arguments(request)
            except ValidationError:
                arguments = None
            if arguments is None:
                return await otherwise(request)
            for each in self.dependencies:
                found = {name: request.scope["path_params"][name] for name in each.path}
                if each.request is not None:
                    found[each.request] = request
                arguments[each.name] = await each.call(**found)
            return await self.endpoint(**arguments)

        return direct

    def _arguments(self, request: Request) -> dict[str, Any] | None:
        """What is given or has a default; None where something else is missing.

        Raises:
            InvalidError: a parameter has another name than the one that is meant.
            ValidationError: a value does not fit.
        """
        arguments = dict(self.defaults)
        given: dict[str, Any] = {}
        unknown: list[str] = []
        for alias, value in query_of(request.scope):
            parameter = self.query.get(alias)
            if parameter is None:
                unknown.append(alias)
            elif parameter.many:
                given.setdefault(alias, []).append(value)
            else:
                given[alias] = value
        if unknown:
            refuse_mistaken(unknown, self.known, given)
        for alias, value in given.items():
            parameter = self.query[alias]
            arguments[parameter.name] = parameter.validate(value)
        for parameter in self.path:
            arguments[parameter.name] = parameter.validate(request.scope["path_params"][parameter.name])
        if self.request is not None:
            arguments[self.request] = request
        return arguments if self.required <= arguments.keys() else None


def plan_of(endpoint: Callable[..., Any], path: Collection[str]) -> Plan | None:
    """How to call an endpoint directly; None where it takes or returns what only FastAPI can handle.

    Args:
        endpoint: What a route calls.
        path: Names of the parameters in the route's path.
    """
    signature = inspect.signature(endpoint, eval_str=True)
    if signature.return_annotation is not Response or not inspect.iscoroutinefunction(endpoint):
        return None
    request: str | None = None
    in_path: list[_Parameter] = []
    query: dict[str, _Parameter] = {}
    dependencies: list[_Dependency] = []
    for name, parameter in signature.parameters.items():
        kind = parameter.annotation
        depends, in_query = (_metadata(kind, of) for of in (params.Depends, params.Query))
        if kind is Request:
            request = name
        elif depends is not None:
            dependency = _dependency(name, depends.dependency, path)
            if dependency is None:
                return None
            dependencies.append(dependency)
        elif not _is_plain(kind) or _metadata(kind, params.Header, params.Cookie, params.Body) is not None:
            return None
        elif name in path:
            in_path.append(_Parameter(name, TypeAdapter(kind).validate_python))
        else:
            alias = (in_query.alias if in_query is not None else None) or name
            query[alias] = _Parameter(name, TypeAdapter(kind).validate_python, _is_list(kind))
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    required = frozenset(parameter.name for parameter in query.values()) - defaults.keys()
    return Plan(endpoint, request, tuple(in_path), query, tuple(dependencies), defaults, required)


def _dependency(name: str, call: Callable[..., Any] | None, path: Collection[str]) -> _Dependency | None:
    if call is None or not inspect.iscoroutinefunction(call):
        return None
    request, texts = None, []
    for each, parameter in inspect.signature(call, eval_str=True).parameters.items():
        if parameter.annotation is Request:
            request = each
        elif parameter.annotation is str and each in path:
            texts.append(each)
        else:
            return None
    return _Dependency(name, call, request, tuple(texts))


def _metadata(annotation: Any, *kinds: type) -> Any:
    if get_origin(annotation) is not Annotated:
        return None
    return next((each for each in get_args(annotation)[1:] if isinstance(each, kinds)), None)


def _is_plain(annotation: Any) -> bool:
    """Whether it is of texts, numbers and lists of them alone."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _is_plain(arguments[0])
    if origin is Literal:
        return True
    if origin in (Union, UnionType, list):
        return all(map(_is_plain, arguments))
    return annotation in _PLAIN


def _is_list(annotation: Any) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _is_list(arguments[0])
    return origin is list or (origin in (Union, UnionType) and any(map(_is_list, arguments)))
