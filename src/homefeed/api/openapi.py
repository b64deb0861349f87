"""The OpenAPI document, with errors as they really are."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from homefeed.api.schemas import Problem

_ERRORS = {
    "400": "Malformed",
    "404": "Not found",
    "409": "Contradicts what is stored",
    "413": "Too large",
    "415": "Of another media type",
    "421": "For another host",
    "422": "Not usable",
}


def install(app: FastAPI) -> None:
    """Describe every error response as a problem document."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema()
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"] |= {status: _problem(text) for status, text in _ERRORS.items()}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
