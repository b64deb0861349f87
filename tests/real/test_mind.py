"""MIND (a sample of the impressions of Microsoft News): imported, replayed, learned from, a small slice of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ranking import mind
from benchmarks.ranking.mind_files import read_impressions

ROOT = Path(__file__).parents[2]
BEHAVIORS = ROOT.parent / "shared" / "data" / "mind-sample" / "behaviors.tsv.gz"


pytestmark = [
    pytest.mark.skipif(not BEHAVIORS.is_file(), reason=f"needs the MIND sample in {BEHAVIORS.parent}"),
]


def test_what_was_shown_on_a_day_is_ordered_better_than_by_chance() -> None:
    found = mind.run(BEHAVIORS, day=10, limit=929)
    assert found["impressions"] == 490
    chance, learned = found["means"]["random"], found["means"]["homefeed"]
    assert chance["auc"] == pytest.approx(0.5, abs=0.03)
    assert learned["auc"] > chance["auc"] + 0.02
    assert found["ahead_of"]["random"]["auc"][1] > 0, "beyond chance"


def test_the_sample_is_read_as_it_is_told() -> None:
    shown = read_impressions(BEHAVIORS)
    assert (len(shown), len({each.user for each in shown})) == (5_000, 4_637)
    assert sum(len(each.items) for each in shown) == 189_359
    assert sum(sum(each.clicked) for each in shown) == 7_542
    assert [each.time for each in shown] == sorted(each.time for each in shown)
    days = np.array([each.time.day for each in shown])
    assert (days == 14).sum() == 968
