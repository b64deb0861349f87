"""Trees of XGBoost: by hand, as bytes, and without the library."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.rank import trees
from homefeed.rank.trees import Trees

ROWS = np.array([[0, 1], [0, 1], [1, 1], [1, 1]], np.float32)
DATA = {"data": ROWS, "label": np.array([0, 0, 4, 4], np.float32)}
EXACT = {
    "objective": "reg:squarederror",
    "base_score": 0,
    "eta": 1,
    "max_depth": 1,
    "lambda": 0,
    "min_child_weight": 0,
}


def grown(rounds: int = 5) -> Trees:
    return Trees.grown(EXACT, rounds, DATA, DATA, 2)


def test_one_tree_says_the_means_of_its_leaves() -> None:
    found = grown()
    assert found.margins(ROWS).tolist() == [0, 0, 4, 4]
    assert found.width == 2
    # SHAP values: what the split adds to the mean of all, 2; that goes to the bias, the second column.
    assert found.contributions(ROWS, 1).tolist() == [[-2, 2], [-2, 2], [2, 2], [2, 2]]


def test_of_no_rows_there_is_nothing() -> None:
    found = grown()
    assert found.margins(ROWS[:0]).shape == (0,)
    assert found.contributions(ROWS[:0], 1).shape == (0, 2)


def test_what_gets_no_better_is_not_grown_on() -> None:
    found = grown(50)
    assert found.booster.num_boosted_rounds() == 1, "the first is exact"


def test_bytes_are_read_and_asked_by_one_thread() -> None:
    ubj = grown().ubj
    again = Trees.read(ubj)
    assert (again.ubj, again.margins(ROWS).tolist()) == (ubj, [0, 0, 4, 4])
    assert json.loads(again.booster.save_config())["learner"]["generic_param"]["nthread"] == "1"


@pytest.mark.parametrize("ubj", [b"", b"{", b"{}", b"no trees at all", b"\0" * 100])
def test_what_is_no_file_of_trees_is_refused(ubj: bytes) -> None:
    with pytest.raises(ArtifactError, match="the trees are damaged: "):
        Trees.read(ubj)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, file = grown(), tmp_path / "trees.ubj"
    file.write_bytes(made.ubj)
    assert Trees.load(file, made.width).ubj == made.ubj
    with pytest.raises(ArtifactError, match=f"expected trees of {made.width + 1} features"):
        Trees.load(file, made.width + 1)
    monkeypatch.setattr(trees, "_LARGEST", len(made.ubj) - 1)
    with pytest.raises(ArtifactError, match=rf"expected trees\.ubj of up to {len(made.ubj) - 1:,} bytes"):
        Trees.load(file, made.width)


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ubj = grown().ubj
    without_xgboost(monkeypatch)
    expected = r"^XGBoost is not installed; install it with: pip install 'homefeed\[ranking\]'$"
    with pytest.raises(ArtifactError, match=expected):
        Trees.read(ubj)
    with pytest.raises(HomefeedError, match=expected):
        grown()


def without_xgboost(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it were not installed."""
    whole = builtins.__import__

    def fails(name: str, *args: Any, **options: Any) -> Any:
        if name == "xgboost":
            raise ImportError(name)
        return whole(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", fails)


def test_what_it_wraps_estimators_for_is_not_imported_with_it_and_can_be_later() -> None:
    check = (
        "import sys; from homefeed.rank.trees import xgboost; xgboost(); "
        "assert not {'sklearn', 'pandas'} & sys.modules.keys(); import sklearn.base"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
