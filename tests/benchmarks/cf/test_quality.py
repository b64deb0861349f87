"""The collaborative benchmarks: reading, judging, masking, tuning, and the scripts whole on planted data."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cf import quality
from benchmarks.cf.kernel import top_neighbours
from benchmarks.cf.lightgcn import (
    Split,
    as_matrix,
    hold_out,
    judged,
    read_pairs,
    read_split,
    some_users,
    users_to_judge,
)
from benchmarks.cf.model import Draw, Model, Popular, best_of_blocks
from benchmarks.cf.processes import WorkerError, ask
from benchmarks.cf.registry import CHOOSERS, MODELS
from benchmarks.cf.tuning import random_search
from homefeed.evaluate.metrics import judge, ndcg, recall

ROOT = Path(__file__).parents[3]
FIELDS = {
    *("benchmark", "model", "train", "test", "users", "items", "train_interactions", "test_interactions"),
    *(
        "test_users",
        "lines",
        "seed",
        "recall@20",
        "ndcg@20",
        "config",
        "tune_seconds",
        "tune_trials",
        "warm_up_seconds",
    ),
    *("fit_seconds", "fit_peak_mb", "before_fit_mb", "cores", "versions", "predict_seconds"),
}


def _matrix(rows: list[list[int]], items: int) -> sp.csr_array[np.float32]:
    users = np.repeat(np.arange(len(rows)), list(map(len, rows)))
    return as_matrix(users, np.array(list(chain(*rows)), np.int64), (len(rows), items))


def _padded(*lists: list[int]) -> np.ndarray:
    return np.array([[*items, *[-1] * (20 - len(items))] for items in lists], np.int32)


def _random(users: int, items: int, share: float, seed: int) -> sp.csr_array[np.float32]:
    cells = np.flatnonzero(np.random.default_rng(seed).random(users * items) < share)
    return as_matrix(*np.divmod(cells, items), (users, items))


# Reading


def test_pairs_are_read_with_repeats_gaps_and_users_without_items(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes(b"7 3 3 900\r\n\n2\n9000000000 0 \n")
    users, items = read_pairs(path)
    assert users.tolist() == [7, 7, 7, 9_000_000_000]
    assert items.tolist() == [3, 3, 900, 0]


def test_a_gzipped_file_reads_like_a_plain_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"0 1 2\n5 1\n")
    (tmp_path / "packed").write_bytes(gzip.compress(b"0 1 2\n5 1\n", mtime=0))
    for plain, packed in zip(read_pairs(tmp_path / "plain"), read_pairs(tmp_path / "packed"), strict=True):
        assert plain.tolist() == packed.tolist()


@pytest.mark.parametrize("line", ["1 x", "-1 2", "1 2.5", "1 2,3", "1 1_000", "1 99999999999999999999", "1 é"])
def test_a_bad_line_is_named_with_its_file(tmp_path: Path, line: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(f"0 1\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"train\.txt, line 2: expected .*numbers"):
        read_pairs(path)


_PACKED = gzip.compress(b"0 1 2\n" * 99, mtime=0)


@pytest.mark.parametrize(
    "content", [b"", b"3\n4\n", _PACKED[:-9], _PACKED[:12] + b"\xff" * 9, _PACKED[:-8] + b"12345678"]
)
def test_a_file_without_items_or_damaged_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.txt").write_bytes(content)
    with pytest.raises(ValueError, match=r"train\.txt: expected"):
        read_pairs(tmp_path / "train.txt")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.txt: expected a readable file"):
        read_pairs(tmp_path / "nowhere.txt")


def test_users_and_items_are_numbered_over_both_files(tmp_path: Path) -> None:
    (tmp_path / "train").write_text("50 7 7 3\n4 7\n", encoding="ascii")
    (tmp_path / "test").write_text("50 9\n60 3\n", encoding="ascii")
    split = read_split(tmp_path / "train", tmp_path / "test")
    assert split.train.toarray().tolist() == [[0, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert split.test.toarray().tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert users_to_judge(split).tolist() == [1, 2]


@given(st.integers(0, 2**32), st.floats(0.1, 0.5), st.integers(0, 12))
def test_holding_out_takes_a_share_of_as_many_users_and_leaves_each_an_item(
    seed: int, share: float, most: int
) -> None:
    train = _random(10, 15, 0.2, seed)
    split = hold_out(train, share, most, seed)
    assert (split.train + split.test - train).count_nonzero() == 0
    sizes_before, given_up = np.diff(train.indptr), np.diff(split.test.indptr)
    assert np.count_nonzero(given_up) == min(most, np.count_nonzero(sizes_before >= 2))
    assert (np.diff(split.train.indptr)[sizes_before > 0] >= 1).all()
    assert (given_up <= np.maximum(np.rint(share * sizes_before), 1)).all()
    assert (split.test - hold_out(train, share, most, seed).test).count_nonzero() == 0


# Judging


def test_recall_and_ndcg_as_worked_out_by_hand() -> None:
    many = list(range(30, 55))
    test = _matrix([[1, 2, 3], many, [9]], 60)
    split = Split(_matrix([[0], [0], [0]], 60), test)
    found = judged(_padded([1, 8, 3, 7], many[:20], [5]), split, np.arange(3))
    assert found["recall@20"].tolist() == pytest.approx([2 / 3, 20 / 25, 0])
    best = 1 + 1 / math.log2(3) + 1 / 2
    assert found["ndcg@20"].tolist() == pytest.approx([(1 + 1 / 2) / best, 1, 0])


@pytest.mark.parametrize("seed", range(5))
def test_judging_agrees_with_the_metrics_of_homefeed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    test = _random(40, 70, 0.3 * seed / 4 + 0.01, seed)
    split = Split(_matrix([[]] * 40, 70), test)
    users = users_to_judge(split)
    lists = [rng.permutation(70)[: rng.integers(21)].astype(np.int32) for _ in users]
    found = judged(_padded(*[items.tolist() for items in lists]), split, users)
    targets = [test.indices[test.indptr[user] : test.indptr[user + 1]] for user in users]
    known = judge(lists, targets)
    np.testing.assert_allclose(found["recall@20"], recall(known, 20), rtol=1e-12)
    np.testing.assert_allclose(found["ndcg@20"], ndcg(known, 20), rtol=1e-12)


@pytest.mark.parametrize(("listed", "wrong"), [([4, 2, 4], "twice"), ([4, 1], "training")])
def test_a_list_with_an_item_twice_or_from_training_is_refused(listed: list[int], wrong: str) -> None:
    split = Split(_matrix([[1]], 5), _matrix([[2]], 5))
    with pytest.raises(ValueError, match="expected"):
        judged(_padded(listed), split, np.array([0]))
    with pytest.raises(ValueError, match=wrong.replace("twice", "one twice")):
        judged(_padded(listed), split, np.array([0]))


# Masking and ranking


def test_popular_gives_the_most_popular_that_the_user_does_not_have() -> None:
    train = _matrix([[0, 1, 2], [1, 2], [2], []], 4)
    model = Popular()
    top = model.top(model.fit(train, {}, 0), train, np.array([3, 1, 0]), 3)
    assert top.tolist() == [[2, 1, 0], [0, 3, -1], [3, -1, -1]]


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_top_lists_of_neighbours_are_those_of_the_dense_product_without_training_items(seed: int, k: int) -> None:
    train, links = _random(6, 20, 0.2, seed), _random(20, 20, 0.3, seed + 1)
    links.data[:] = np.random.default_rng(seed).choice([-2, -1, 1, 2], links.nnz)  # many equals, and sums of 0
    users = np.array([5, 0, 3])
    parts = links.indptr, links.indices, links.data
    amounts = np.random.default_rng(seed).choice([0.5, 1, 2], train.nnz).astype(np.float32)
    sparse = top_neighbours(train.indptr, train.indices, amounts, *parts, users, k)
    weighted = sp.csr_array((amounts, train.indices, train.indptr), shape=train.shape)
    scores = (weighted @ links).toarray() + 0.0
    scores[train.toarray() > 0] = -1
    for user, row in zip(users, sparse, strict=True):
        order = [item for item in np.argsort(-scores[user], kind="stable")[:k] if scores[user, item] > 0]
        assert row.tolist() == order + [-1] * (k - len(order))


def test_top_lists_of_blocks_are_masked_ordered_and_padded() -> None:
    train = _matrix([[3], [], [0, 1, 2]], 4)
    scores = np.array([[1, 5, 5, 9], [0, 0, -1, 2], [9, 9, 9, 1]], np.float32)
    top = best_of_blocks(lambda users: scores[users], train, np.arange(3), 6, at_once=2)
    assert top[:, :4].tolist() == [[1, 2, 0, -1], [3, 0, 1, 2], [3, -1, -1, -1]]
    assert (top[:, 4:] == -1).all()


def test_some_users_keep_their_items_and_their_order() -> None:
    train, test = _matrix([[1, 3], [0], [3, 4]], 6), _matrix([[4], [1], [0, 1]], 6)
    places = train.copy()
    places.data = np.array([2, 1, 1, 1, 2], np.float32)
    for seed in range(9):
        part = some_users(Split(train, test, places), 0.7, seed)
        assert part.places is not None
        if part.train.nnz == 4:  # the first and the last user
            assert part.train.toarray().tolist() == [[1, 1, 0], [0, 1, 1]]
            assert part.test.toarray().tolist() == [[0, 0, 1], [1, 0, 0]]
            assert part.places.toarray().tolist() == [[2, 1, 0], [0, 1, 2]]
            break
    else:
        raise AssertionError("expected one of nine draws to be of these users")


@pytest.mark.filterwarnings("ignore:Method expects CSR input")  # of implicit, of itself
@pytest.mark.parametrize(
    "name",
    ["item_item", "als_homefeed", "lightgcn_homefeed", "popular", "implicit_als", "implicit_item_item"],
)
def test_models_never_list_what_the_user_has_even_among_five_users(name: str) -> None:
    train, test = [[0, 1], [1, 2], [0, 2], [4], []], [[2], [0], [1], [0, 4], [3]]
    split = Split(_matrix(train, 6), _matrix(test, 6))
    model = MODELS[name]
    for module in model.modules:
        pytest.importorskip(module)
    fitted = model.fit(model.prepare(split.train), model.defaults, 1)
    top = model.top(fitted, split.train, users_to_judge(split), 20)
    found = judged(top, split, users_to_judge(split))  # which refuses what is in training
    assert top.shape == (5, 20)
    assert found["recall@20"].max() > 0


# Tuning


class _Dial(Model):
    """Recommends item `n` to everybody; a fit takes a second of the clock."""

    name = "dial"

    def __init__(self) -> None:
        self.now = 0.0
        self.tried: list[int] = []

    @property
    def defaults(self) -> Mapping[str, Any]:
        return {"n": 1, "fixed": True}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {"n": lambda rng: int(rng.integers(5))}

    def fit(self, data: Any, config: Mapping[str, Any], seed: int) -> int:
        assert config["fixed"]
        self.now += 1
        self.tried.append(config["n"])
        return int(config["n"])

    def top(self, fitted: int, train: Any, users: np.ndarray, k: int) -> np.ndarray:
        return np.repeat(_padded([fitted]), len(users), axis=0)


_DIALLED = Split(_matrix([[5], [5]], 6), _matrix([[3], [3]], 6))


def test_tuning_tries_the_defaults_first_keeps_the_best_and_ends_in_time() -> None:
    dial = _Dial()
    choice = random_search(dial, _DIALLED, 30.5, 7, clock=lambda: dial.now)
    assert choice.trials == dial.now == 30
    assert dial.tried[0] == 1
    assert choice.config == {"n": 3, "fixed": True}
    assert choice.ndcg == 1
    again = _Dial()
    random_search(again, _DIALLED, 30.5, 7, clock=lambda: again.now)
    assert again.tried == dial.tried


def test_tuning_without_time_or_a_user_to_judge_on_leaves_the_defaults() -> None:
    for split, seconds in ((_DIALLED, 0.0), (Split(_DIALLED.train, _matrix([[], []], 6)), 9.0)):
        dial = _Dial()
        choice = random_search(dial, split, seconds, 7)
        assert (choice.config, choice.trials, dial.tried) == (dial.defaults, 0, [])


def test_every_model_has_a_chooser_that_draws_within_its_bounds() -> None:
    from homefeed.retrieve.als.model import AlsConfig
    from homefeed.retrieve.lightgcn.model import LightgcnConfig

    assert CHOOSERS.keys() == MODELS.keys()
    rng = np.random.default_rng(0)
    assert MODELS["als_homefeed"].space
    for _ in range(50):
        AlsConfig(**{field: draw(rng) for field, draw in MODELS["als_homefeed"].space.items()})
        LightgcnConfig(**{field: draw(rng) for field, draw in MODELS["lightgcn_homefeed"].space.items()})


# The scripts


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options for two groups of users whose items have nothing in common, one group larger."""
    folder = tmp_path_factory.mktemp("planted")
    rng = np.random.default_rng(3)
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for user in range(150):
        own = 1_000 + rng.permutation(60)[:14] + (60 if user < 50 else 0)
        for part, items in (("train", own[:10]), ("test", own[10:])):
            lines[part].append(" ".join(map(str, [user * 3, *items])))
    for part, written in lines.items():
        (folder / f"{part}.txt.gz").write_bytes(gzip.compress("\n".join(written).encode()))
    return ["--train", str(folder / "train.txt.gz"), "--test", str(folder / "test.txt.gz")]


def _printed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_item_item_beats_popular_where_two_groups_share_no_items(planted: list[str]) -> None:
    command = [sys.executable, "-m", quality.__name__, *planted, "--tune", "0.01"]
    models = ["--model", "popular", "--model", "item_item"]
    done = subprocess.run([*command, *models], cwd=ROOT, capture_output=True, text=True, check=True)
    popular, ours = _printed(done.stdout)
    assert popular.keys() == ours.keys() == FIELDS | {"validation_ndcg"}
    assert (ours["users"], ours["items"], ours["train"]) == (150, 120, "train.txt.gz")
    assert (ours["train_interactions"], ours["test_interactions"], ours["test_users"]) == (1_500, 600, 150)
    assert ours["recall@20"]["low"] > popular["recall@20"]["high"]
    assert ours["recall@20"]["low"] <= ours["recall@20"]["mean"] <= ours["recall@20"]["high"]
    assert ours["fit_peak_mb"] >= ours["before_fit_mb"] > 1
    assert ours["tune_trials"] >= 1
    assert {"python", "numpy", "homefeed"} <= ours["versions"].keys()


def test_a_model_that_needs_more_memory_than_there_is_is_skipped(
    planted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Popular, "gigabytes", lambda self, items: 8 * items / 120)
    assert quality.main([*planted, "--model", "popular", "--memory-gb", "4"]) == 0
    [line] = _printed(capsys.readouterr().out)
    assert line["skipped"] == "would need 8.0 GB, of which 4.0 GB can be had"
    assert MODELS["rectools_ease"].gigabytes(41_000) == pytest.approx(53.8, abs=0.1)


def test_a_model_that_fails_is_reported_and_the_rest_go_on(
    planted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _FailingOnce()
    monkeypatch.setattr(quality, "ask", asked)
    assert quality.main([*planted, "--model", "popular", "--model", "popular"]) == 1
    first, second = _printed(capsys.readouterr().out)
    assert first["failed"] == "fit ended with status 1: out of luck"
    assert second.keys() == FIELDS
    assert asked.calls == 2


class _FailingOnce:
    """Asks workers, but the first time in vain."""

    calls = 0

    def __call__(self, python: str, folder: Path, action: str, **request: Any) -> dict[str, Any]:
        self.calls += 1
        if self.calls == 1:
            raise WorkerError("fit ended with status 1: out of luck")
        return ask(python, folder, action, **request)


def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    request = {"model": "popular", "train": str(tmp_path / "nothing.npz"), "config": {}, "seed": 0}
    with pytest.raises(WorkerError, match=r"fit ended with status 1: .*nothing\.npz"):
        ask(sys.executable, tmp_path, "fit", **request)
    with pytest.raises(WorkerError, match="no-such-python: expected a Python interpreter"):
        ask("no-such-python", tmp_path, "probe", models=[])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "oracle"], "invalid choice: 'oracle'"),
        (["--tune", "-1"], "expected a number of 0 or more"),
        (["--tune", "nan"], "expected a number of 0 or more"),
        (["--seed", "-1"], "expected a seed of 0 or more"),
        (["--train", "only.txt"], "expected both --train and --test"),
    ],
)
def test_wrong_options_are_refused(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        quality.main(options)
    assert message in capsys.readouterr().err


def test_wrong_files_and_missing_libraries_are_an_error_of_one_line(planted: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("0 one\n", encoding="ascii")
    with pytest.raises(SystemExit, match=r"bad\.txt, line 1"):
        quality.main([*planted, "--train", str(tmp_path / "bad.txt")])
    with pytest.raises(SystemExit, match=r"lenskit_ease cannot run: lenskit.*--rivals-python"):
        quality.main([*planted, "--model", "lenskit_ease"])
