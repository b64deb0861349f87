"""A comparison as JSON, as Markdown and on the terminal."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rich.console import Console

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.table import Comparison, compare

COMPARISON = Comparison(
    baseline="popular",
    users=1_234,
    confidence=0.95,
    systems={
        "popular": {"ndcg@10": Interval(0.1, 0.05, 0.15), "recall@10": Interval(0.2, 0.1, 0.3)},
        "als|full": {"ndcg@10": Interval(0.3, 0.25, 0.35), "recall@10": Interval(0.19, 0.1, 0.3)},
    },
    differences={"als|full": {"ndcg@10": Interval(0.2, 0.1, 0.3), "recall@10": Interval(-0.01, -0.05, 0.03)}},
    overall={"popular": {"coverage@10": 0.05}},
)


def test_markdown() -> None:
    assert COMPARISON.to_markdown() == (
        "| system | ndcg@10 | recall@10 | coverage@10 |\n"
        "| --- | ---: | ---: | ---: |\n"
        "| popular | 0.1000 [0.0500, 0.1500] | 0.2000 [0.1000, 0.3000] | 0.0500 |\n"
        "| als\\|full | 0.3000 [0.2500, 0.3500] | 0.1900 [0.1000, 0.3000] |  |\n"
        "\n"
        "| difference from popular | ndcg@10 | recall@10 |\n"
        "| --- | ---: | ---: |\n"
        "| als\\|full | **+0.2000 [+0.1000, +0.3000]** | -0.0100 [-0.0500, +0.0300] |\n"
        "\n"
        "Means over 1,234 users with 95 % percentile bootstrap intervals. "
        "Bold: the interval of the paired difference excludes zero (each by itself).\n"
    )


def test_json_holds_everything() -> None:
    assert json.loads(COMPARISON.to_json()) == {
        "baseline": "popular",
        "users": 1234,
        "confidence": 0.95,
        "systems": {
            "popular": {
                "ndcg@10": {"mean": 0.1, "low": 0.05, "high": 0.15},
                "recall@10": {"mean": 0.2, "low": 0.1, "high": 0.3},
            },
            "als|full": {
                "ndcg@10": {"mean": 0.3, "low": 0.25, "high": 0.35},
                "recall@10": {"mean": 0.19, "low": 0.1, "high": 0.3},
            },
        },
        "differences": {
            "als|full": {
                "ndcg@10": {"mean": 0.2, "low": 0.1, "high": 0.3},
                "recall@10": {"mean": -0.01, "low": -0.05, "high": 0.03},
            }
        },
        "overall": {"popular": {"coverage@10": 0.05}},
    }


def test_rich_shows_means_and_differences() -> None:
    text = _rendered(COMPARISON)
    for part in (
        "ndcg@10",
        "0.3000 [0.2500, 0.3500]",
        "als|full - popular",
        "+0.2000 [+0.1000, +0.3000]",
        "0.0500",
    ):
        assert part in text


def test_rich_takes_names_as_they_are() -> None:
    row = {"m": Interval(0.5, 0.4, 0.6)}
    assert "[bold]x" in _rendered(Comparison("[bold]x", 2, 0.95, {"[bold]x": row}, {}))


def _rendered(comparison: Comparison) -> str:
    console = Console(width=140, color_system=None)
    with console.capture() as capture:
        console.print(comparison.to_rich())
    return capture.get()


def test_a_single_system_has_no_table_of_differences() -> None:
    alone = compare({"popular": {"m": np.array([0.0, 1.0])}}, "popular", np.random.default_rng(0))
    assert alone.differences == {}
    assert "difference from" not in alone.to_markdown()


def test_compare_sets_every_system_against_the_baseline() -> None:
    rng = np.random.default_rng(1)
    base = rng.random(200) / 2
    systems = {"base": {"a": base, "b": base}, "better": {"b": base, "a": base + 0.1}}
    found = compare(systems, "base", np.random.default_rng(0), overall={"base": {"coverage@10": 0.5}})
    assert found.users == 200
    assert found.metrics == ("a", "b")
    assert found.figures == ("coverage@10",)
    assert list(found.differences) == ["better"]
    assert list(found.differences["better"]) == list(found.systems["better"]) == ["a", "b"]
    assert found.differences["better"]["a"].mean == pytest.approx(0.1)
    assert found.differences["better"]["a"].excludes_zero
    assert found.differences["better"]["b"] == Interval(0, 0, 0)
    assert found.systems["better"]["a"].mean == pytest.approx(base.mean() + 0.1)
    assert found == compare(systems, "base", np.random.default_rng(0), overall={"base": {"coverage@10": 0.5}})


def test_what_cannot_be_compared_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidError, match='expected one of a, got "b"'):
        compare({"a": {"m": np.ones(2)}}, "b", rng)
    with pytest.raises(InvalidError, match="same users"):
        compare({"a": {"m": np.ones(2)}, "b": {"m": np.ones(3)}}, "a", rng)
    with pytest.raises(InvalidError, match="same metrics"):
        compare({"a": {"m": np.ones(2)}, "b": {"n": np.ones(2)}}, "a", rng)
