"""Lines in the order of time: found to be so, held out at their end, and counted by place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cf import quality
from benchmarks.cf.lightgcn import (
    Split,
    as_matrix,
    hold_out,
    judged,
    ones_of,
    places_of,
    read_split,
    tells_time,
    users_to_judge,
)
from benchmarks.cf.ours import choose
from benchmarks.cf.registry import MODELS

USERS, TOPICS, SIZE = 300, 12, 40


def walks(rng: np.random.Generator) -> list[list[int]]:
    """Users who go from topic to topic: five items of one, then five of another."""
    lines = []
    for _ in range(USERS):
        topics = rng.choice(TOPICS, 6, replace=False)
        lines.append([int(topic * SIZE + item) for topic in topics for item in rng.choice(SIZE, 5, replace=False)])
    return lines


def told(lines: list[list[int]]) -> sp.csr_array[np.float32]:
    users = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    items = np.concatenate([np.array(line, np.int64) for line in lines])
    return places_of(users, items, as_matrix(users, items, (len(lines), TOPICS * SIZE)))


def test_places_count_from_the_end_and_of_a_repeated_pair_the_later_one() -> None:
    users, items = np.array([0, 0, 0, 1, 0]), np.array([2, 0, 1, 1, 2])
    places = places_of(users, items, as_matrix(users, items, (2, 3)))
    assert places.toarray().tolist() == [[3, 2, 1], [0, 1, 0]]


def test_lines_where_like_follows_like_tell_time() -> None:
    rng = np.random.default_rng(0)
    lines = walks(rng)
    assert tells_time(told(lines))
    assert not tells_time(told([rng.permutation(line).tolist() for line in lines]))
    assert not tells_time(told([sorted(line) for line in lines]))
    assert not tells_time(told([line[:19] for line in lines]))


def test_a_file_is_read_with_its_places_only_where_they_tell_something(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "test").write_text("0 1\n", encoding="ascii")
    for lines, tells in ((walks(rng), True), ([sorted(line) for line in walks(rng)], False)):
        text = "\n".join(" ".join(map(str, [user, *line])) for user, line in enumerate(lines))
        (tmp_path / "train").write_text(text, encoding="ascii")
        split = read_split(tmp_path / "train", tmp_path / "test")
        assert (split.places is not None) == tells


@given(st.integers(0, 2**32), st.floats(0.1, 0.5))
def test_what_is_held_out_is_the_end_of_the_line(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    lines = [rng.permutation(20)[: rng.integers(1, 12)].tolist() for _ in range(8)]
    places = told(lines)
    train = ones_of(places)
    split = hold_out(train, share, 8, seed, places)
    assert split.places is not None
    for user, line in enumerate(lines):
        given_up = split.test[[user]].nnz
        assert sorted(split.test[[user]].indices.tolist()) == sorted(line[len(line) - given_up :])
        kept = split.places[[user]]
        by_place = kept.indices[np.argsort(-kept.data)].tolist()
        assert by_place == line[: len(line) - given_up]
        assert sorted(kept.data.tolist()) == list(range(1, len(by_place) + 1))


def test_a_model_with_the_order_makes_use_of_it() -> None:
    rng = np.random.default_rng(0)
    lines = walks(rng)
    # What comes next is more of the topic that came last.
    following = [rng.choice(np.setdiff1d(np.arange(SIZE), np.array(line) % SIZE), 3) for line in lines]
    users = np.repeat(np.arange(USERS), 3)
    nexts = np.concatenate([line[-1] // SIZE * SIZE + more for line, more in zip(lines, following, strict=True)])
    places = told(lines)
    train = ones_of(places)
    split = Split(train, as_matrix(users, nexts, places.shape), places)
    found = {}
    for name in ("item_item", "item_item_in_order"):
        model = MODELS[name]
        config = {**model.defaults, "place_exponent": 1.5, "dimensions": 32}
        told_of = places if model.in_order else train
        fitted = model.fit(model.prepare(told_of), config, 1)
        top = model.top(fitted, told_of, users_to_judge(split), 20)
        found[name] = float(judged(top, split, users_to_judge(split))["recall@20"].mean())
    assert found["item_item_in_order"] > 1.5 * found["item_item"]


def test_our_own_search_leaves_places_to_models_with_the_order() -> None:
    rng = np.random.default_rng(1)
    places = told(walks(rng))
    train = ones_of(places)
    split = hold_out(train, 0.2, 100, 1, places)
    plain = choose(MODELS["item_item"], split, 0.01, 1)
    assert plain.trials == 1
    assert plain.config == MODELS["item_item"].defaults
    assert choose(MODELS["item_item"], split, 0, 1).trials == 0


def test_without_an_order_who_wants_one_is_skipped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "train").write_text("0 1 2 3\n1 1 2\n", encoding="ascii")
    (tmp_path / "test").write_text("1 3\n", encoding="ascii")
    files = ["--train", str(tmp_path / "train"), "--test", str(tmp_path / "test")]
    assert quality.main([*files, "--model", "item_item_in_order"]) == 0
    assert '"skipped": "lines are not in the order of time"' in capsys.readouterr().out
