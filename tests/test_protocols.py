"""A part's `Config` describes its settings by the docstrings below them, if it has any."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from homefeed.protocols import PartConfig


class Described(PartConfig):
    size: int = 3
    """How large,
    in metres."""
    colour: str = "red"


class Inherited(Described):
    size: int = 4
    shape: str = "round"
    """What it looks like."""


def descriptions(config: type[PartConfig]) -> dict[str, str | None]:
    return {name: field.description for name, field in config.model_fields.items()}


def test_the_docstring_below_a_field_is_its_description_in_the_schema() -> None:
    assert descriptions(Described) == {"size": "How large,\nin metres.", "colour": None}
    assert Described.model_json_schema()["properties"]["size"]["description"] == "How large,\nin metres."


def test_a_field_that_is_inherited_keeps_its_description_unless_it_is_declared_anew() -> None:
    assert descriptions(Inherited) == {"size": None, "colour": None, "shape": "What it looks like."}

    class Wider(Described):
        width: int = 1

    assert descriptions(Wider)["size"] == "How large,\nin metres."


def test_a_config_without_source_works_without_descriptions() -> None:
    made: dict[str, Any] = {"PartConfig": PartConfig}
    exec("class Made(PartConfig):\n    size: int = 3\n    'How large.'\n", made)
    config = made["Made"]
    assert descriptions(config) == {"size": None}
    assert config(size=4).size == 4
    with pytest.raises(ValidationError, match="colour"):
        config(colour="red")
