"""Queries graded by rules, and NDCG of their grades: by hand, and what the file of queries must be like."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.graded_queries import KINDS, SPLITS, Query, Rule, grade, intervals, load_queries, ndcg
from homefeed.errors import InvalidError

NAMES = ["Red Kettle", "Kettle stand", "Teapot", "Blue kettle", "Sofa"]
MAINS = ["Kitchen", "kitchen", "Kitchen", "kitchen", "home"]
SUBS = ["Kettles", "Stands", "Pots", "kettles", "Sofas"]
PRICES = [100.0, 20.0, 50.0, None, float("nan")]


def query(*rules: Rule, kind: str = "plain") -> Query:
    return Query("kettle", kind, "validation", rules)


def graded(*rules: Rule) -> list[int]:
    row: list[int] = grade([query(*rules)], NAMES, MAINS, SUBS, PRICES)[0].tolist()
    return row


def positions(*of: int) -> np.ndarray:
    return np.array(of, dtype=np.int32)


def written(path: Path, text: str) -> Path:
    file = path / "queries.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_product_has_the_highest_grade_of_the_rules_it_meets() -> None:
    rules = Rule(1, name="kettle"), Rule(3, name="kettle", not_name="stand"), Rule(2, name="red|teapot")
    assert graded(*rules) == [3, 1, 2, 3, 0]
    assert graded(*reversed(rules)) == [3, 1, 2, 3, 0]


def test_names_and_categories_are_met_whatever_the_case() -> None:
    assert graded(Rule(3, name="KETTLE")) == [3, 3, 0, 3, 0]
    assert graded(Rule(2, sub_category=("KETTLES", "pots"))) == [2, 0, 2, 2, 0]
    assert graded(Rule(1, main_category=("KITCHEN",))) == [1, 1, 1, 1, 0]


def test_all_conditions_of_a_rule_must_hold() -> None:
    assert graded(Rule(3, main_category=("kitchen",), sub_category=("kettles",), name="blue")) == [0, 0, 0, 3, 0]


def test_a_price_limit_is_met_up_to_itself_and_never_without_a_price() -> None:
    assert graded(Rule(3, name=".", price_max=50)) == [0, 3, 3, 0, 0]
    assert graded(Rule(3, name=".", price_min=50)) == [3, 0, 3, 0, 0]


def test_grades_are_a_row_per_query() -> None:
    both = grade([query(Rule(3, name="sofa")), query(Rule(2, name="pot"))], NAMES, MAINS, SUBS, PRICES)
    assert both.dtype == np.int8
    assert both.tolist() == [[0, 0, 0, 0, 3], [0, 0, 2, 0, 0]]


def test_fields_of_different_lengths_and_malformed_expressions_are_refused() -> None:
    with pytest.raises(InvalidError, match=r"5 of name.*4 of price"):
        grade([query(Rule(3, name="x"))], NAMES, MAINS, SUBS, PRICES[:4])
    with pytest.raises(InvalidError, match="kettle"):
        graded(Rule(3, name="("))


def test_ndcg_by_hand() -> None:
    grades = np.array([[3, 2, 1, 0, 0]], dtype=np.int8)
    best = 7 + 3 / math.log2(3) + 1 / 2
    assert ndcg(grades, [positions(0, 1, 2)]) == pytest.approx([1])
    assert ndcg(grades, [positions(3, 2, 0)]) == pytest.approx([(1 / math.log2(3) + 7 / 2) / best])
    assert ndcg(grades, [positions(1)]) == pytest.approx([3 / best])
    assert ndcg(grades, [positions()]).tolist() == [0]


def test_ndcg_looks_at_the_first_k_only_also_of_the_best_list() -> None:
    grades = np.array([[3, 3, 1, 0]], dtype=np.int8)
    assert ndcg(grades, [positions(2, 0, 1)], k=1) == pytest.approx([1 / 7])
    assert ndcg(grades, [positions(0, 3, 1)], k=2) == pytest.approx([7 / (7 + 7 / math.log2(3))])


def test_ndcg_has_a_score_per_query() -> None:
    grades = np.array([[0, 2], [1, 0]], dtype=np.int8)
    assert ndcg(grades, [positions(1, 0), positions(1)]) == pytest.approx([1, 0])


@pytest.mark.parametrize(
    ("grades", "ranked", "k", "expected"),
    [
        ([[1, 0]], [[0]], 0, "k: expected 1 or more"),
        ([[1, 0]], [[0], [1]], 10, "a list for each of 1 queries, got 2"),
        ([[1, 0]], [[0, 0]], 10, "got one twice for query 0"),
        ([[1, 0], [1, 0]], [[0], [2]], 10, "positions below 2, got another for query 1"),
        ([[1, 0]], [[-1]], 10, "positions below 2"),
        ([[1, 0], [0, 0]], [[0], [1]], 10, "got none for query 1"),
    ],
)
def test_lists_that_cannot_be_judged_are_refused(
    grades: list[list[int]], ranked: list[list[int]], k: int, expected: str
) -> None:
    with pytest.raises(InvalidError, match=expected):
        ndcg(np.array(grades, dtype=np.int8), [positions(*each) for each in ranked], k)


def test_intervals_are_given_for_all_queries_and_for_each_kind() -> None:
    rule = Rule(3, name="kettle")
    queries = [query(rule), query(rule, kind="prefix"), query(rule)]
    measured = intervals(queries, np.array([0.5, 0.25, 0.9]), np.random.default_rng(0), 200)
    assert list(measured) == ["all", "plain", "prefix"]
    assert measured["all"].mean == pytest.approx(0.55)
    assert measured["plain"].mean == pytest.approx(0.7)
    assert 0.25 <= measured["all"].low < 0.55 < measured["all"].high <= 0.9
    assert measured["prefix"] == (0.25, 0.25, 0.25)
    with pytest.raises(InvalidError, match="one for each of 3 queries, got 2"):
        intervals(queries, np.array([0.5, 0.25]), np.random.default_rng(0))


def test_a_file_is_read_and_a_split_of_it_alone(tmp_path: Path) -> None:
    entry = (
        '[[query]]\ntext = "{}"\nkind = "{}"\nsplit = "{}"\nrules = [{{ grade = 3, sub_category = ["A", "B"] }}]\n'
    )
    file = written(tmp_path, entry.format("one", "plain", "test") + entry.format("two", "long", "validation"))
    rule = Rule(3, sub_category=("A", "B"))
    assert load_queries(file) == [
        Query("one", "plain", "test", (rule,)),
        Query("two", "long", "validation", (rule,)),
    ]
    assert [each.text for each in load_queries(file, "test")] == ["one"]


@pytest.mark.parametrize(
    ("text", "kind", "split", "rule", "expected"),
    [
        ("x", "plane", "test", 'grade = 3, name = "x"', "x: expected a kind of"),
        ("x", "plain", "train", 'grade = 3, name = "x"', "x: expected a split of"),
        ("x", "plain", "test", 'grade = 4, name = "x"', "grade: expected 1, 2 or 3, got 4"),
        ("x", "plain", "test", "grade = 3, price_max = 5", "expected a name or a category"),
        ("x", "plain", "test", 'grade = 3, nam = "x"', "x: .*nam"),
        ("x", "plain", "test", 'name = "x"', "x: .*grade"),
        (" ", "plain", "test", 'grade = 3, name = "x"', "expected a text"),
    ],
)
def test_a_query_that_is_not_one_is_refused(
    tmp_path: Path, text: str, kind: str, split: str, rule: str, expected: str
) -> None:
    file = written(
        tmp_path, f'[[query]]\ntext = "{text}"\nkind = "{kind}"\nsplit = "{split}"\nrules = [{{ {rule} }}]\n'
    )
    with pytest.raises(InvalidError, match=expected):
        load_queries(file)


def test_a_text_twice_is_refused(tmp_path: Path) -> None:
    entry = '[[query]]\ntext = "{}"\nkind = "plain"\nsplit = "test"\nrules = [{{ grade = 3, name = "x" }}]\n'
    with pytest.raises(InvalidError, match="kettle: expected every text once, got it 2 times"):
        load_queries(written(tmp_path, entry.format("kettle") + entry.format("Kettle")))


def test_the_queries_are_many_of_every_kind_in_both_splits_and_every_rule_can_be_asked() -> None:
    queries = load_queries()
    kinds = Counter(each.kind for each in queries)
    shares = Counter(each.split for each in queries)
    assert len(queries) >= 75
    assert min(kinds[kind] for kind in ("misspelling", "synonym", "prefix")) >= 10
    assert {(each.kind, each.split) for each in queries} == {(kind, split) for kind in KINDS for split in SPLITS}
    assert kinds["head"] >= 40
    assert shares["validation"] / len(queries) == pytest.approx(0.43, abs=0.02)
    heads = Counter(each.split for each in queries if each.kind == "head")
    assert heads["validation"] == heads["test"]
    assert all(any(rule.grade == 3 for rule in each.rules) for each in queries)
    assert grade(queries, NAMES, MAINS, SUBS, PRICES).shape == (len(queries), len(NAMES))
