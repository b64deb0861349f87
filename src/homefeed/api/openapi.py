"""The OpenAPI document: errors as they really are, and what generators of clients need.

Every operation has a short id of its own and a summary, every body a named schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from homefeed.api.schemas import Problem

_ERRORS = {
    "400": "Malformed",
    "401": "No key or token, or a wrong one",
    "403": "Not with this key or token",
    "404": "Not found",
    "409": "Contradicts what is stored",
    "413": "Too large",
    "415": "Of another media type",
    "421": "For another host",
    "422": "Not usable",
    "429": "Too often: again after Retry-After",
    "503": "Not now: again after Retry-After",
}
_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or the token of a user."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}
_REF: Final = "#/components/schemas/{model}"
_SENTENCE: Final = re.compile(r"(.+?)(?:[.:;] |[.:;]?$)", re.DOTALL)


def operation_ids(own: Collection[str]) -> Callable[[APIRoute], str]:
    """Ids of operations: the names of endpoints, those of an app's `own` routes after the name of the app."""

    def operation_id(route: APIRoute) -> str:
        tag = str(next(iter(route.tags), ""))
        return f"{tag}_{route.name}" if tag in own else route.name

    return operation_id


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The schema of a body that a route reads by itself; in the document it is a component by its name."""
    return kind.model_json_schema(ref_template=_REF)


def install(app: FastAPI) -> None:
    """Describe every error response as a problem document, and name and sum up what is described."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema()
            document["components"]["securitySchemes"] = _SCHEMES
            # Of the whole: a server without a key asks for none.
            document["security"] = [{}, *({name: []} for name in _SCHEMES)]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["summary"] = _summary(operation)
                    operation["responses"].pop("422", None)
                    problems = {status: _problem(text) for status, text in _ERRORS.items()}
                    operation["responses"] = problems | operation["responses"]
                    for content in operation.get("requestBody", {}).get("content", {}).values():
                        content["schema"] = _named(content["schema"], schemas)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _summary(operation: dict[str, Any]) -> str:
    """The first sentence of the description."""
    sentence = _SENTENCE.match(operation["description"].partition("\n\n")[0])
    assert sentence is not None  # noqa: S101
    return " ".join(sentence[1].split())


def _named(schema: Any, schemas: dict[str, Any]) -> Any:
    """A schema with those of objects that stand in it as references to components, which are added."""
    if isinstance(schema, list):
        return [_named(each, schemas) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schemas |= schema.get("$defs", {})
    if schema.get("type") == "object" and "title" in schema:
        name = schema["title"]
        schemas[name] = {key: value for key, value in schema.items() if key != "$defs"}
        return {"$ref": _REF.format(model=name)}
    return {key: _named(value, schemas) for key, value in schema.items() if key != "$defs"}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
