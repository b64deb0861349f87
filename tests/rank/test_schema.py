"""What a ranking model learned from is kept beside it, and with other features it does not rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from homefeed.errors import ArtifactError
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema, misfit

SCHEMA = Schema(("popular", "bias", "age"), calibrated=True)


def test_what_is_written_is_read_with_all_else(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(orjson.dumps(SCHEMA.to_json() | {"more": [1]}))
    assert Schema.read(path) == (SCHEMA, {"more": [1]})
    assert SCHEMA.bias == 1


@pytest.mark.parametrize(
    "harm",
    [
        {"feature_names": None},
        {"feature_names": []},
        {"feature_names": ["bias", 3]},
        {"feature_names": ["bias", "age", "age"]},
        {"feature_names": ["popular"]},
        {"feature_names": ["bias", *map(str, range(1_000))]},
        {"calibrated": 1},
        {"calibrated": None},
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, harm: dict[str, Any]) -> None:
    path = tmp_path / "schema.json"
    path.write_bytes(orjson.dumps(SCHEMA.to_json() | harm))
    with pytest.raises(ArtifactError, match="the model is damaged: expected"):
        Schema.read(path)


@pytest.mark.parametrize(
    ("names", "calibrated", "why"),
    [
        (("popular", "bias", "age"), True, None),
        (("age", "popular", "bias"), True, None),
        (("popular", "bias"), True, "it learned from features that the feed no longer has: age"),
        (
            ("popular", "bias", "age", "x", "y"),
            True,
            "the feed has features that it has not learned from: x, y",
        ),
        (("popular", "bias", "age"), False, "it learned from retrievers that were calibrated"),
    ],
)
def test_a_feed_of_the_same_features_fits(names: tuple[str, ...], calibrated: bool, why: str | None) -> None:
    assert misfit(ClickModelModel(SCHEMA, np.zeros(3, np.float32)), names, calibrated) == why


def test_a_model_of_retrievers_that_were_not_calibrated_fits_only_such() -> None:
    model = ClickModelModel(Schema(("bias",), calibrated=False), np.zeros(1, np.float32))
    assert misfit(model, ("bias",), False) is None
    assert misfit(model, ("bias",), True) == "it learned from retrievers that were not calibrated"
