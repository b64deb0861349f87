"""The measures and the files of the benchmark on MIND, by hand."""

from __future__ import annotations

import csv
import gzip
from math import log2
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ranking.mind import measured
from benchmarks.ranking.mind_counters import NAMES, plain_counters
from benchmarks.ranking.mind_files import read_impressions, write_files
from homefeed.dataset.ranking_rows import PagesRead, RankingRows
from homefeed.ranking import RankingData
from homefeed.types import DAY

LINES = (
    "2\tU2\t11/10/2019 1:00:00 PM\tN9 N1\tN1-0 N2-1\n"
    "1\tU1\t11/9/2019 2:00:00 AM\tN9 N8\tN2-0 N3-1 N4-0\n"
    "3\tU3\t11/10/2019 1:00:00 PM\t\tN2-1 N5-0\n"
)


def rows(lists: list[tuple[int, list[int], list[int]]]) -> RankingRows:
    """Lists of a time, items and whether each was clicked."""
    items = np.concatenate([each[1] for each in lists]).astype(np.int32)
    clicked = np.concatenate([each[2] for each in lists]).astype(np.bool_)
    ones, count = np.ones(len(items), np.float32), len(lists)
    starts = np.cumsum([0, *(len(each[1]) for each in lists)])
    data = RankingData(
        (), np.empty((len(items), 0), np.float32), starts, ("click",), clicked[:, None], clicked, ones, items
    )
    return RankingRows(
        data=data,
        users=np.arange(count, dtype=np.int32),
        times=np.array([each[0] for each in lists], np.int64),
        pages=np.ones(count, np.int32),
        served_by=[""] * count,
        items=items,
        places=np.zeros(len(items), np.int32),
        propensities=ones,
        served=ones,
        read=PagesRead(count, count, {}),
    )


def test_measures_are_within_each_list() -> None:
    scores = np.array([3, 2, 1, 0, 1, 2, 5, 5], np.float32)
    found = measured(rows([(0, [1, 2, 3, 4], [1, 0, 1, 0]), (1, [1, 2], [0, 0]), (2, [1, 2], [0, 1])]), scores)
    assert found["auc"][0] == pytest.approx(3 / 4)
    assert found["mrr"][0] == pytest.approx((1 + 1 / 3) / 2)
    assert found["ndcg@10"][0] == pytest.approx((1 + 1 / log2(4)) / (1 + 1 / log2(3)))
    assert np.isnan(found["auc"][1]), "nothing of it was clicked"
    assert found["auc"][2] == 0.5, "equal scores say nothing"


def test_counters_know_what_came_before_and_fade() -> None:
    day = int(DAY)
    features = plain_counters(rows([(0, [1, 2], [1, 0]), (0, [1], [0]), (day, [1, 2, 3], [0, 0, 1])]))
    column = {name: features[:, number] for number, name in enumerate(NAMES)}
    assert column["shown"].tolist() == [0, 0, 0, 2, 1, 0], "lists of one moment do not know one another"
    assert column["clicked"].tolist() == [0, 0, 0, 1, 0, 0]
    np.testing.assert_allclose(column["click_rate"][3:], [1.8 / 22, 0.8 / 21, 0.8 / 20], rtol=1e-6)
    np.testing.assert_allclose(column["shown_1d"][3:], [2 / np.e, 1 / np.e, 0], rtol=1e-6)
    np.testing.assert_allclose(column["age"][3:], [24, 24, 0])
    np.testing.assert_allclose(column["since"][3:], [24, 24, 1_000])


def test_the_files_hold_what_was_shown_and_clicked_and_histories_are_of_before(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "behaviors.tsv.gz", "wt", encoding="utf-8") as file:
        file.write(LINES)
    shown = read_impressions(tmp_path / "behaviors.tsv.gz")
    assert [each.number for each in shown] == ["1", "2", "3"]
    write_files(shown, tmp_path)
    items = {row["item_id"]: row["created_at"] for row in read(tmp_path / "items.csv")}
    assert items["N3"] == "2019-11-09T02:00:00+00:00", "as old as its first showing"
    assert {items[name] for name in ("N1", "N8", "N9")} == {"2019-10-01T00:00:00+00:00"}
    assert [row["user_id"] for row in read(tmp_path / "users.csv")] == ["U1", "U2", "U3"]
    events = [(row["user_id"], row["item_id"], row["timestamp"][:13]) for row in read(tmp_path / "events.csv")]
    assert events[:2] == [("U1", "N8", "2019-11-08T00"), ("U1", "N9", "2019-11-07T23")]
    assert events[4:] == [
        ("U1", "N3", "2019-11-09T02"),
        ("U2", "N2", "2019-11-10T13"),
        ("U3", "N2", "2019-11-10T13"),
    ]
    pages = [(row["request_id"], row["item_id"], row["place"]) for row in read(tmp_path / "impressions.csv")]
    assert pages[:3] == [("1", "N2", "0"), ("1", "N3", "1"), ("1", "N4", "2")]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
