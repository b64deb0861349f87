"""How fitting grows: the made-up data, the laws, and the script whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.cf import scale
from benchmarks.cf.synthetic import generate, sizes


def test_scale_tells_each_fit_and_the_laws(capsys: pytest.CaptureFixture[str]) -> None:
    scale.main(["--interactions", "20_000"])
    *points, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [point["model"] for point in points] == ["item_item", "implicit_item_item"]
    for point in points:
        assert (point["users"], point["items"]) == sizes(20_000) == (800, 2_499)
        assert point["interactions"] == 20_000
        assert point["fit_seconds"] > 0
        assert point["fit_mb"] == pytest.approx(point["fit_peak_mb"] - point["before_fit_mb"], abs=0.11)
    law = last["laws"]["item_item"]
    assert law["fit_seconds"] == {"points": [points[0]["fit_seconds"]], "law": None}


def test_the_law_of_growth_is_found_and_needs_two_sizes() -> None:
    points = [{"interactions": n, "fit_seconds": 0.02 * n, "fit_mb": 3.0} for n in (100, 400)]
    laws = scale.laws_of(points)
    assert laws["interactions"] == [100, 400]
    assert laws["fit_seconds"] == {"points": [2.0, 8.0], "law": {"a": 0.02, "b": 1.0}}
    assert laws["fit_mb"]["law"] == {"a": 3.0, "b": 0.0}
    assert scale.growth([100, 400, 900], [2.0, 16.0, 54.0]) == {"a": 0.002, "b": 1.5}
    assert scale.growth([100], [2.0]) is None
    assert scale.growth([100, 200], [2.0, 0.0]) is None


@pytest.mark.parametrize("size", ["999", "many", "-5000", "1e6"])
def test_scale_refuses_other_sizes(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        scale.main([f"--interactions={size}"])
    assert "expected a whole number of 1000 or more" in capsys.readouterr().err


def test_made_up_interactions_are_as_many_seeded_uneven_and_of_tastes() -> None:
    pairs = generate(20_000, 5)
    assert (pairs.nnz, pairs.shape) == (20_000, (800, 2_499))
    assert (pairs - generate(20_000, 5)).count_nonzero() == 0
    assert (pairs - generate(20_000, 6)).count_nonzero() > 0
    activity, popularity = np.diff(pairs.indptr), np.sort(np.bincount(pairs.indices, minlength=2_499))
    assert np.quantile(activity, 0.9) > 4 * np.quantile(activity, 0.1)
    assert popularity[-250:].sum() > 2 * 0.1 * 20_000
    assert popularity[-1] < 0.02 * 20_000
    groups = np.searchsorted(np.arange(25) * 2_499 // 24, pairs.indices, side="right") - 1
    in_best_four = [
        np.sort(np.bincount(groups[start:end], minlength=24))[-4:].sum()
        for start, end in zip(pairs.indptr[:-1], pairs.indptr[1:], strict=True)
    ]
    assert sum(in_best_four) > 0.6 * 20_000  # of 24 groups
    with pytest.raises(ValueError, match="expected 1000 or more"):
        generate(999, 5)
