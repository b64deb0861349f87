"""What all declarations of a recipe build on."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints

Name: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

Kind: TypeAlias = Literal["retrieve", "filter", "features", "rank", "rerank", "model", "trainer"]
"""What a part does: the table of a feed it stands in, or `model` and `trainer` for those of `models`."""


class Declaration(BaseModel):
    """Base of all declarations: unknown keys are refused, so that a typing error is not silently ignored.

    The docstring below a field is its description: in the JSON schema, and in the reference made by `make docs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
