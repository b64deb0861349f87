"""Next-item tests: files of the usual kinds, divided by each protocol; models told apart on a planted order."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cf import next_item
from benchmarks.cf.histories import divided, read_histories
from benchmarks.cf.next_item import measures_of
from benchmarks.cf.next_models import MODELS, ease, popular, sequence, v_sknn

TABLE = """userId,movieId,rating,timestamp
7,30,4.0,300
7,10,4.0,100
7,20,4.0,200
9,20,3.0,150
9,40,5.0,400
"""
MOVIES = """movieId,title,genres
10,Harbour Lights (1999),Drama|Crime
20,Winter Letters (2001),Drama
"""


def test_a_table_is_read_in_the_order_of_time_and_items_have_their_words(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(TABLE)
    (tmp_path / "movies.csv").write_text(MOVIES)
    histories = read_histories(tmp_path / "ratings.csv", tmp_path / "movies.csv")
    assert [own.tolist() for own in histories.items] == [[0, 1, 2], [1, 3]]
    assert [own.tolist() for own in histories.times] == [[100e6, 200e6, 300e6], [150e6, 400e6]]
    assert histories.terms["genre"] == [("Drama", "Crime"), ("Drama",), (), ()]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other\.csv: expected the columns userId, movieId and timestamp"):
        read_histories(tmp_path / "other.csv", None)


def lines_of(folder: Path, lines: list[list[int]]) -> Path:
    path = folder / "lines.txt.gz"
    with gzip.open(path, "wt") as file:
        file.writelines(f"{user} {' '.join(map(str, items))}\n" for user, items in enumerate(lines))
    return path


def test_each_protocol_keeps_back_what_it_says(tmp_path: Path) -> None:
    histories = read_histories(lines_of(tmp_path, [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0, 5, 6, 7, 8, 9]]), None)
    last = divided(histories, "leave-one-out", validation=False, seed=0)
    assert [own.tolist() for own in last.histories] == [[0, 1, 2, 3], [4, 3, 2, 1, 0, 5, 6, 7, 8]]
    assert [own.tolist() for own in last.targets] == [[4], [9]]
    assert sorted(last.train.interactions.items.tolist()) == sorted([0, 1, 2, 4, 3, 2, 1, 0, 5, 6, 7])
    before = divided(histories, "leave-one-out", validation=True, seed=0)
    assert [own.tolist() for own in before.targets] == [[3], [8]]
    fifth = divided(histories, "last-fifth", validation=False, seed=0)
    assert [own.tolist() for own in fifth.targets] == [[4], [8, 9]]
    assert len(fifth.train.interactions) == 4 + 8
    late = divided(histories, "time", validation=False, seed=0)
    assert [own.tolist() for own in late.targets] == [[8, 9]]
    assert late.train.interactions.times.max() < 8 * 86_400_000_000


def walks(folder: Path) -> Path:
    """Everybody walks round one of ten circles of items, from wherever they begin."""
    rng = np.random.default_rng(3)
    lines = []
    for _ in range(300):
        circle, start = int(rng.integers(10)) * 12, int(rng.integers(12))
        lines.append([circle + (start + step) % 12 for step in range(int(rng.integers(4, 8)))])
    return lines_of(folder, lines)


def test_what_knows_the_order_foresees_it(tmp_path: Path) -> None:
    asked = divided(read_histories(walks(tmp_path), None), "leave-one-out", validation=False, seed=1)
    found = {
        name: measures_of(scorer, asked)["ndcg@10"].mean()
        for name, scorer in {
            "popular": popular(asked.train),
            "ease": ease(asked.train, 30.0),
            "v_sknn": v_sknn(asked.train, 50),
            "sequence": sequence(asked.train),
        }.items()
    }
    assert found["popular"] < 0.1
    assert min(found["ease"], found["v_sknn"]) > 0.3
    assert found["sequence"] > max(found["ease"], found["v_sknn"])


def test_a_line_for_each_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ("popular", "ease", "item_item", "sequence")
    options = [option for model in models for option in ("--model", model)]
    next_item.main(["--histories", str(walks(tmp_path)), *options])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["model"] for line in lines] == list(models)
    for line in lines:
        assert line["users"] == 300
        assert 0 <= line["ndcg@10"]["low"] <= line["ndcg@10"]["mean"] <= line["recall@10"]["mean"]
    assert lines[1]["config"]["penalty"] in {config["penalty"] for config in MODELS["ease"][1]}
