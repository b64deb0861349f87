"""The benchmark of rules: reading invoices, taking one out, judging by hand, and the script whole on tiny data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.association import rules
from benchmarks.association.baskets import cases_of, judged, read_invoices, split, top_by_popularity, top_by_rules
from benchmarks.association.worker import data_of
from benchmarks.cf.lightgcn import Matrix, as_matrix
from homefeed.retrieve.association.baskets import baskets_of
from homefeed.retrieve.neighbours import NeighbourLists

ROOT = Path(__file__).parents[3]


def _baskets(*baskets: list[int], items: int = 6) -> Matrix:
    owners = np.repeat(np.arange(len(baskets)), list(map(len, baskets)))
    return as_matrix(
        owners, np.array([item for basket in baskets for item in basket], np.int64), (len(baskets), items)
    )


def _listed(baskets: Matrix) -> list[list[int]]:
    return [part.tolist() for part in np.split(baskets.indices, baskets.indptr[1:-1])]


# Baskets


def test_invoices_are_baskets_by_time_without_what_was_cancelled_or_given_back(tmp_path: Path) -> None:
    path = tmp_path / "invoices.csv"
    path.write_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate\n"
        '2,B,"b, blue",1,2011-01-02 09:00:00\n'
        "1,C,c,2,2011-01-03 09:00:00\n"
        "1,A,a,2,2011-01-03 09:00:00\n"
        "1,A,a,1,2011-01-03 09:00:00\n"
        "C3,A,a,-2,2011-01-01 09:00:00\n"
        "C4,A,a,2,2011-01-01 09:00:00\n"
        "5,A,a,-1,2011-01-01 09:00:00\n"
        "2,A,a,many,2011-01-02 09:00:00\n"
    )
    assert _listed(read_invoices(path)) == [[1], [0, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("InvoiceNo,StockCode\n1,A\n", "expected a CSV file with InvoiceNo"),
        ("InvoiceNo,StockCode,Quantity,InvoiceDate\nC1,A,1,2011\n", "expected lines of sold items, got none"),
    ],
)
def test_files_without_baskets_are_an_error_of_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "invoices.csv"
    path.write_text(text)
    with pytest.raises(SystemExit, match=message):
        rules.main(["--invoices", str(path)])
    with pytest.raises(SystemExit, match="no-such-file"):
        rules.main(["--invoices", str(tmp_path / "no-such-file")])


def test_the_last_fifth_judges_and_for_choosing_the_fifth_before() -> None:
    baskets = _baskets(*([at] for at in range(10)), items=10)
    assert [_listed(part) for part in split(baskets, False)] == [[[at] for at in range(8)], [[8], [9]]]
    assert [_listed(part) for part in split(baskets, True)] == [[[at] for at in range(6)], [[6], [7]]]


def test_one_item_of_each_basket_is_taken_out_and_another_is_shown_alone() -> None:
    baskets = _baskets([0, 1], [2], [1, 3, 5], [], [0, 2, 4, 5])
    taken, alone = set(), set()
    for seed in range(60):
        cases = cases_of(baskets, seed)
        whole = [[0, 1], [1, 3, 5], [0, 2, 4, 5]]
        for basket, rest, one, target in zip(
            whole, _listed(cases.rest), _listed(cases.one), cases.targets.tolist(), strict=True
        ):
            assert sorted([*rest, target]) == basket
            assert one[0] in rest
            taken.add((len(basket), target))
            alone.add((len(basket), one[0]))
    assert len(taken) == len(alone) == 9
    with pytest.raises(ValueError, match="two items and more"):
        cases_of(_baskets([1], []), 0)


def test_the_worker_finds_the_very_baskets() -> None:
    baskets = _baskets([0, 1], [2], [1, 3, 5])
    assert _listed(baskets_of(data_of(baskets), 30, 100).held.astype(np.float32)) == [[0, 1], [1, 3, 5]]


# Lists


def test_lists_by_rules_and_by_popularity_by_hand() -> None:
    lists = NeighbourLists(
        np.arange(4, dtype=np.int32),
        np.array([0, 2, 3, 3, 3]),
        np.array([1, 2, 2], np.int32),
        np.array([0.5, 0.25, 0.5], np.float32),
    )
    histories = _baskets([0], [0, 1], [3], items=4)
    top = top_by_rules(lists, histories)
    assert top[:, :3].tolist() == [[1, 2, -1], [2, -1, -1], [-1, -1, -1]]
    popular = top_by_popularity(_baskets([3], [3, 1], [1], [3, 0], items=4), histories)
    assert popular[:, :4].tolist() == [[3, 1, 2, -1], [3, 2, -1, -1], [1, 0, 2, -1]]
    found = judged(top, np.array([2, 2, 0]), "rest")
    assert found["rest_hit_rate@20"].tolist() == [1, 1, 0]
    assert found["rest_mrr@20"].tolist() == [0.5, 1, 0]


# The script


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Baskets of one of thirty groups of three items each, with one of any group and one that is in many."""
    rng = np.random.default_rng(4)
    lines = ["InvoiceNo,StockCode,Quantity,InvoiceDate"]
    for invoice in range(600):
        group, stray = rng.integers(30, size=2) * 3
        items = [f"S{90 + rng.integers(4)}", f"S{stray}", *(f"S{group + at}" for at in range(3))]
        lines += [
            f"{invoice},{item},1,2011-01-{1 + invoice // 30:02} 09:{invoice % 60:02}:00" for item in set(items)
        ]
    path = tmp_path_factory.mktemp("planted") / "invoices.csv"
    path.write_text("\n".join(lines))
    return path


def test_rules_beat_popularity_where_groups_go_together(planted: Path) -> None:
    command = [sys.executable, "-m", rules.__name__, "--invoices", str(planted), "--min-support", "0.02"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    [line] = map(json.loads, done.stdout.splitlines())
    assert (line["part"], line["invoices"]) == ("test", "invoices.csv")
    assert (line["train_baskets"], line["test_baskets"], line["cases"]) == (480, 120, 120)
    assert line["pairs"]["rest_hit_rate@20"]["low"] > line["popular"]["rest_hit_rate@20"]["high"]
    assert line["pairs_minus"]["popular"]["one_mrr@20"]["low"] > 0
    both = line["rules_in"]
    assert both["both"] + both["only_pairs"] == line["pairs"]["rules"]
    assert both["both"] == line["fp_growth"]["rules"] > 0
    assert both["only_fp_growth"] == 0 < both["only_pairs"]
    for method in ("pairs", "fp_growth"):
        assert line[method]["baskets"] == 480
        assert line[method]["fit_peak_mb"] >= line[method]["before_fit_mb"] > 1
        assert 0 < line[method]["coverage"] <= 1
    assert line["versions"].keys() == {"numpy", "scipy", "mlxtend", "pandas"}


def test_without_a_support_both_methods_find_the_same(planted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rules.main(["--invoices", str(planted), "--min-support", "0", "--validation"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["part"] == "validation"
    assert line["rules_in"] == {"both": line["pairs"]["rules"], "only_pairs": 0, "only_fp_growth": 0}
    assert all(difference["mean"] == 0 for difference in line["pairs_minus"]["fp_growth"].values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-support", "2"], "expected a share of 0 to 1, got 2"),
        (["--min-support", "nan"], "expected a share of 0 to 1"),
        (["--seed", "-1"], "expected a seed of 0 or more"),
    ],
)
def test_options_of_rules_that_are_wrong_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        rules.main(options)
    assert message in capsys.readouterr().err
