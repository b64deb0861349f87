"""A comparison as JSON, as Markdown and on the terminal."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.table import Comparison, PValue, compare, format_p

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
    assert json.loads(json.dumps(COMPARISON.to_json(), allow_nan=False)) == {
        "baseline": "popular",
        "users": 1234,
        "requests": 0,
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
        "tests": {},
        "overall": {"popular": {"coverage@10": 0.05}},
    }


TESTED = replace(
    COMPARISON,
    tests={"als|full": {"ndcg@10": PValue(0.0001, 0.0004), "recall@10": PValue(0.2, 0.4)}},
    main=("ndcg@10", "coverage@10"),
)


def test_a_narrow_table_shows_the_main_measures_and_the_rest_follows() -> None:
    text = TESTED.to_markdown()
    assert text.startswith(
        "| system | ndcg@10 | coverage@10 |\n"
        "| --- | ---: | ---: |\n"
        "| popular | 0.1000 [0.0500, 0.1500] | 0.0500 |\n"
    )
    assert "| difference from popular | ndcg@10 |\n" in text
    assert text.endswith(
        "| p after Holm's correction | ndcg@10 | recall@10 |\n"
        "| --- | ---: | ---: |\n"
        "| als\\|full | **< 0.001** | 0.400 |\n"
        "\n"
        "| system | recall@10 |\n"
        "| --- | ---: |\n"
        "| popular | 0.2000 |\n"
        "| als\\|full | 0.1900 |\n"
    )
    shown = _rendered(TESTED)
    assert "recall@10" not in shown
    assert "coverage@10" in shown


def test_figures_that_are_not_shown_first_follow_with_four_decimals() -> None:
    assert (
        replace(TESTED, main=("ndcg@10",))
        .to_markdown()
        .endswith(
            "| system | recall@10 | coverage@10 |\n"
            "| --- | ---: | ---: |\n"
            "| popular | 0.2000 | 0.0500 |\n"
            "| als\\|full | 0.1900 |  |\n"
        )
    )


def test_the_note_says_who_is_beyond_chance_and_on_which_side() -> None:
    assert TESTED.note().endswith(
        " Beyond chance (paired randomisation tests, p up to 0.05 after Holm's correction for 1 system): "
        "at ndcg@10, ahead (als|full)."
    )
    behind = replace(TESTED, tests={"als|full": {"recall@10": PValue(0.01, 0.05)}}, main=())
    assert behind.note().endswith("at recall@10, behind (als|full).")
    unsure = replace(TESTED, tests={"als|full": {"ndcg@10": PValue(0.01, 0.051)}})
    assert unsure.note().endswith("at ndcg@10, none.")
    assert "Beyond chance" not in COMPARISON.note()


def test_p_values_in_json_are_numbers() -> None:
    assert TESTED.to_json()["tests"]["als|full"]["ndcg@10"] == {"p": 0.0001, "p_holm": 0.0004}


def test_a_p_value_is_never_printed_as_nothing() -> None:
    assert [format_p(p) for p in (0.00099, 0.001, 0.0496, 1.0)] == ["< 0.001", "0.001", "0.050", "1.000"]


def test_only_the_given_measures_are_tested_and_all_systems_together() -> None:
    rng = np.random.default_rng(2)
    base = rng.random(100)
    systems = {"base": base, "better": base + 0.2, "similar": base + rng.normal(0, 0.1, 100)}
    values = {name: {"a": column, "b": column} for name, column in systems.items()}
    found = compare(values, "base", np.random.default_rng(0), tested=["b"])
    assert found.tested == ("b",)
    better, similar = (found.tests[name]["b"] for name in ("better", "similar"))
    assert better.p_holm == 2 * better.p < 0.001
    assert similar.p_holm == similar.p > 0.05
    assert "at b, ahead (better)" in found.note()


def test_several_requests_of_a_user_count_as_one_witness() -> None:
    rng = np.random.default_rng(2)
    base, better = rng.random(40), rng.random(40) + 0.2
    once = compare({"base": {"m": base}, "better": {"m": better}}, "base", np.random.default_rng(0), tested=["m"])
    thrice = {name: {"m": np.repeat(column, 3)} for name, column in {"base": base, "better": better}.items()}
    users = np.repeat(np.arange(40, dtype=np.int32), 3)
    found = compare(thrice, "base", np.random.default_rng(0), tested=["m"], users=users)
    assert (found.users, found.requests) == (40, 120)
    assert (once.users, once.requests) == (40, 40)
    assert found.tests == once.tests, "three requests that are alike say no more than one"
    for name in ("base", "better"):
        assert tuple(found.systems[name]["m"]) == pytest.approx(tuple(once.systems[name]["m"]))
    assert tuple(found.differences["better"]["m"]) == pytest.approx(tuple(once.differences["better"]["m"]))
    assert found.note().startswith("Means over 120 requests of 40 users with 95 % percentile")
    assert once.note().startswith("Means over 40 users with")


def test_a_user_of_many_requests_is_tested_by_their_sum() -> None:
    # The users' sums are +3 and -2: whatever their signs, they add up to 1 or 5 in size, and 1 was found.
    values = {"base": {"m": np.zeros(5)}, "other": {"m": np.array([1.0, -1.0, 1.0, -1.0, 1.0])}}
    users = np.array([0, 1, 0, 1, 0], np.int32)
    found = compare(values, "base", np.random.default_rng(0), tested=["m"], users=users)
    assert found.tests["other"]["m"].p == pytest.approx(1.0, abs=0.01), "every drawing is as far from zero"
    assert found.differences["other"]["m"].mean == pytest.approx(0.2)


def test_rich_shows_means_and_differences() -> None:
    text = _rendered(COMPARISON)
    for part in (
        "ndcg@10",
        "0.300 [0.250, 0.350]",
        "minus popular",
        "+0.200 [+0.100, +0.300]",
        "0.050",
    ):
        assert part in text


def test_rich_takes_names_as_they_are() -> None:
    row = {"m": Interval(0.5, 0.4, 0.6)}
    assert "[bold]x" in _rendered(Comparison("[bold]x", 2, 0.95, {"[bold]x": row}, {}))


def _rendered(comparison: Comparison, width: int = 140) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(comparison.to_rich())
    return capture.get()


def _wide(*names: str) -> Comparison:
    """With the measures that `homefeed evaluate` prints, and differences of both signs."""
    rng = np.random.default_rng(4)
    values = {name: {"recall@20": rng.random(80), "ndcg@10": rng.random(80)} for name in ("popular", *names)}
    return compare(values, "popular", rng, {name: {"coverage@20": 0.5} for name in values})


@pytest.mark.parametrize("width", [80, 100, 200])
def test_at_80_columns_names_and_numbers_stand_on_one_line(width: int) -> None:
    names = ("item_item", "home: merged", "home: ranked", "bought_together")
    comparison = _wide(*names)
    lines = [line.rstrip() for line in _rendered(comparison, width).splitlines()]
    assert max(map(len, lines)) <= width
    for name in names:
        means, differences = (line for line in lines if line.startswith(name))
        for metric, interval in comparison.systems[name].items():
            assert f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]" in means
            gap = comparison.differences[name][metric]
            assert f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]" in differences


@pytest.mark.parametrize("width", [60, 70, 80])
def test_long_names_go_on_in_the_next_line_and_are_never_cut(width: int) -> None:
    text = _rendered(_wide("home_learned: item_item (retriever)", "a_name_of_twenty_five_cs"), width)
    assert "…" not in text
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= width
    begun = [row for row, line in enumerate(lines) if line.startswith("home_learned:")]
    assert len(begun) == 2
    for row in begun:
        label = " ".join(line[:24].strip() for line in lines[row : row + 3])
        assert label.startswith("home_learned: ")
        assert "item_item" in label
        assert "(retriever)" in label
    assert sum(line.startswith("a_name_of_twenty_five_cs") for line in lines) == 2


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


def test_another_system_changes_nothing_of_the_others() -> None:
    rng = np.random.default_rng(1)
    systems = {name: {"m": rng.random(60)} for name in ("base", "one", "two")}
    few = {name: systems[name] for name in ("base", "two")}
    of_all, of_few = (compare(some, "base", np.random.default_rng(0), tested=["m"]) for some in (systems, few))
    for name in few:
        assert of_all.systems[name] == of_few.systems[name]
    assert of_all.differences["two"] == of_few.differences["two"]
    assert of_all.tests["two"]["m"].p == of_few.tests["two"]["m"].p


def test_a_thousand_resamples_and_nineteen_of_twenty_unless_told() -> None:
    values = {name: {"m": np.random.default_rng(seed).random(60)} for seed, name in enumerate(("base", "one"))}
    short, whole = (compare(values, "base", np.random.default_rng(0), None, *told) for told in ((), (1_000, 0.95)))
    assert short == whole
