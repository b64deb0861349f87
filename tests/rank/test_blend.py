"""The blend as a model in a folder."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.rank.calibration import Calibration

CALIBRATION = {"intercept": 1.5, "log_score": 0.25, "log_rank": -0.5, "log_rank_squared": 0.125}
HOME = {
    "calibrations": {"popular": CALIBRATION},
    "retrievers": "abc",
    "ranker": "def",
    "weights": {"popular": 0.3},
}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    calibrations = {"popular": Calibration(1.5, 0.25, -0.5, 0.125), "fresh": Calibration(0.0, 0.0, -0.1, 0.0)}
    numbers = {"item_item": {"half_life_days": 7.0, "place_exponent": 0.5}}
    home = FeedBlend(calibrations, "abc", "def", {"popular": 0.3}, numbers)
    blend = Blend({"home": home, "new": FeedBlend({}, "ghi")})
    assert isinstance(blend, Model)
    blend.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["blend.json"]
    assert Blend.load(tmp_path) == blend


def test_the_file_is_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "blend.json").write_bytes(orjson.dumps({"feeds": {"home": HOME}}))
    home = Blend.load(tmp_path).feeds["home"]
    assert home == FeedBlend({"popular": Calibration(1.5, 0.25, -0.5, 0.125)}, "abc", "def", {"popular": 0.3})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"feeds": []}',
        b'{"feeds": {"home": 3}}',
        b'{"feeds": {"home": {}}}',
        orjson.dumps({"feeds": {"home": HOME | {"more": 1}}}),
        orjson.dumps({"feeds": {"home": HOME | {"weights": [1]}}}),
        orjson.dumps({"feeds": {"home": HOME | {"weights": {"popular": "much"}}}}),
        orjson.dumps({"feeds": {"home": HOME | {"calibrations": {"popular": {"intercept": 1}}}}}),
        orjson.dumps({"feeds": {"home": HOME | {"calibrations": {"popular": CALIBRATION | {"log_rank": None}}}}}),
        orjson.dumps({"feeds": {"home": HOME | {"settings": {"fresh": 3}}}}),
        orjson.dumps({"feeds": {"home": HOME | {"settings": {"fresh": {"half_life_days": "long"}}}}}),
        b'{"feeds": {"home": {"calibrations": {}, "retrievers": "a", "ranker": "b", "weights": {"a": 1e999}}}}',
    ],
)
def test_what_is_not_one_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "blend.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=r"blend\.json is damaged: "):
        Blend.load(tmp_path)
