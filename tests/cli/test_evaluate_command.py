"""evaluate: what it prints, what it writes, what it refuses, and what it warns of."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli import running
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli
from homefeed.evaluate.blending import Blended, fit_blend

RETRIEVERS = ["sequence", "item_item", "content", "trending", "fresh"]
METRICS = [
    *("recall@20", "ndcg@10", "map@10", "mrr@10", "hit_rate@10", "recall@10", "ndcg@20", "map@20"),
    *("mrr@20", "hit_rate@20", "recall@100", "novelty@20", "diversity@20"),
]


def run(home: Path, *args: str) -> Result:
    return running.run(home, *args, COLUMNS="80")


def evaluate(home: Path, *options: str, app: str = "streaming") -> Result:
    result = run(home, "evaluate", app, *options)
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def evaluated(home: Path, *options: str, app: str = "streaming") -> Any:
    """What it says with --json, quickly."""
    return json.loads(evaluate(home, "--json", "--no-replay", *options, app=app).stdout)


@pytest.fixture(scope="module")
def whole(sample_home: Path) -> Any:
    """The evaluation with all defaults, and what it wrote to standard error."""
    result = evaluate(sample_home, "--json")
    return json.loads(result.stdout), result.stderr


def test_it_prints_a_table_that_fits_eighty_columns(sample_home: Path) -> None:
    result = evaluate(sample_home)
    rows = [re.split(r"  +", line.strip()) for line in result.stdout.splitlines()]
    begin = next(row for row, cells in enumerate(rows) if set(cells[0]) == {"─"})
    between = rows.index(["minus popular"])
    means, differences = rows[begin + 1 : between - 1], rows[between + 1 : between + len(RETRIEVERS) + 5]
    assert [name for name, *_ in means] == [
        "popular",
        "popular, 7 days",
        *RETRIEVERS,
        "home: merged",
        "home: ranked",
        "home",
    ]
    assert [name for name, *_ in differences] == [name for name, *_ in means[1:]]
    assert {len(cells) for _, *cells in means} == {3}
    assert {len(cells) for _, *cells in differences} == {2}
    assert all(metric in result.stdout for metric in ("recall@20", "ndcg@10", "coverage@20"))
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    text = " ".join(result.stdout.split())
    assert re.search(
        r"2,400 training events, \d+ requests of \d+ users, \d+ trainings, all 120 items ranked\.", text
    )
    verdicts = r"home is (ahead of every|behind no) part of it|\w+ alone (beats|was ahead of) home"
    assert re.match(rf"({verdicts}) at ndcg@10", text), "the first line"
    assert "Beyond chance (paired randomisation tests, p up to 0.05 after Holm's correction for" in text
    for stage in ("reading events", "training", "requests", "training again", "requests again", "figures"):
        assert stage in result.stderr


def test_json_has_all_of_it_as_numbers(whole: Any) -> None:
    found, stderr = whole
    told = " ".join(stderr.split())
    assert re.fullmatch(
        r"home: learned ranker not taken, \d+ requests are too few to judge it by; 50 would do", told
    )
    systems = list(found["systems"])
    assert systems == list(found["roles"]) == list(found["overall"]) == list(found["recall_curve"]["systems"])
    assert (systems[0], systems[-1]) == ("popular", "home")
    assert list(found["differences"]) == list(found["tests"]) == systems[1:]
    for row in found["systems"].values():
        assert list(row) == METRICS
        assert all(isinstance(value, float) for interval in row.values() for value in interval.values())
    assert {frozenset(figures) for figures in found["overall"].values()} == {frozenset({"coverage@20", "gini@20"})}
    for row in found["tests"].values():
        assert set(row) == {"recall@20", "ndcg@10", "map@10"}
        assert all(0 < p["p"] <= p["p_holm"] <= 1 for p in row.values())
    assert found["recall_curve"]["k"][-1] == 100
    assert sum(group["requests"] for group in found["by_history"]) == found["requests"] > found["users"]
    assert found["test_users"] == found["users"]
    assert all(0 < group["users"] <= group["requests"] for group in found["by_history"])
    assert (found["leaks"], found["failures"]) == ([], [])
    assert 0 < found["replayed"] <= 50
    assert 1 < found["trainings"] <= 10
    assert [(verdict["feed"], verdict["metric"]) for verdict in found["verdicts"]] == [("home", "ndcg@10")]
    assert set(found["verdicts"][0]["leads"]) == {"popular", "popular, 7 days", *RETRIEVERS}
    assert (found["app"], found["feeds"], found["baseline"]) == ("streaming", ["home"], "popular")
    assert found["train_events"] + found["protocol"]["cutoff_share"] == 2_400.8
    assert found["span"]["first_event"] < found["span"]["cutoff"] <= found["span"]["first_request"]


def test_the_replay_can_be_left_out(sample_home: Path, whole: Any) -> None:
    found = evaluated(sample_home)
    assert (found["replayed"], found["protocol"]["replay"]) == (0, False)
    assert found["systems"] == whole[0]["systems"]


def test_users_and_what_they_reveal_can_be_chosen(sample_home: Path) -> None:
    by_time = ("--split", "time", "--requests", "20")
    found = evaluated(sample_home, *by_time, "--revealed", "0.25", "--share", "0.7")
    assert (found["test_users"], found["requests"], found["trainings"]) == (20, 20, 1)
    protocol = found["protocol"]
    assert [protocol[name] for name in ("max_requests", "revealed_share", "cutoff_share")] == [20, 0.25, 0.7]
    assert found["train_events"] == 2_100


def test_how_the_clock_runs_can_be_chosen(sample_home: Path) -> None:
    often = evaluated(sample_home, "--requests", "60", "--share", "0.7", "--retrain", "1d", "--max-trainings", "3")
    assert (often["requests"], often["trainings"], often["train_events"]) == (60, 3, 2_100)
    protocol = often["protocol"]
    chosen = [protocol[name] for name in ("split", "retrain", "max_trainings", "horizon", "max_requests")]
    assert chosen == ["rolling", 86_400_000_000, 3, 86_400_000_000, 60]
    once = evaluated(sample_home, "--requests", "60", "--retrain", "never", "--within", "3h")
    assert (once["requests"], once["trainings"]) == (60, 1)
    assert (once["protocol"]["retrain"], once["protocol"]["horizon"]) == ("never", 3 * 3_600_000_000)
    assert "within 3h of the request" in once["protocol"]["description"]
    assert once["targets"] < evaluated(sample_home, "--requests", "60", "--retrain", "never")["targets"]


def test_what_was_met_before_counts_with_repeats(sample_home: Path) -> None:
    found = evaluated(sample_home, "--requests", "60", "--retrain", "never", "--repeats")
    assert 0 < found["repeated_targets"] < found["targets"]


def test_the_figures_of_single_users_are_there(sample_home: Path) -> None:
    found = evaluated(sample_home, "--split", "time", "--repeats", "--no-replay")
    assert found["repeated_targets"] > 0
    by_user = found["by_user"]
    assert len(by_user["users"]) == found["test_users"] == sum(by_user["requests"])
    assert all(user.startswith("u") for user in by_user["users"])
    values = by_user["systems"]["home"]["ndcg@10"]
    assert sum(values) / len(values) == pytest.approx(found["systems"]["home"]["ndcg@10"]["mean"])


def test_split_by_user(sample_home: Path) -> None:
    found = evaluated(sample_home, "--split", "user", "--share", "0.3", "--revealed", "0.4")
    assert found["protocol"]["split"] == "user"
    assert (found["protocol"]["users_share"], found["protocol"]["cutoff_share"]) == (0.3, 0.8)
    assert found["test_users"] + sum(found["left_out"].values()) == 17, "of 57 with events"


def test_the_last_of_everybody(sample_home: Path) -> None:
    found = evaluated(sample_home, "--split", "last", "--last", "2")
    assert (found["protocol"]["split"], found["protocol"]["last"]) == ("last", 2)
    assert found["test_users"] + sum(found["left_out"].values()) == 57


def test_the_next_basket(sample_home: Path) -> None:
    found = evaluated(sample_home, "--split", "basket", "--share", "0.7", "--basket-minutes", "60")
    protocol = found["protocol"]
    assert [protocol[name] for name in ("split", "cutoff_share", "basket_minutes", "repeats")] == [
        *("basket", 0.7, 60, False),
    ]
    assert "the events within 60 minutes of its first" in protocol["description"]
    assert found["train_events"] == 2_100
    assert found["repeated_targets"] == 0 < found["targets"]
    assert set(found["left_out"]) >= {"no basket begun after the cutoff", "no target that is not in the history"}


def test_repeats_count_with_the_option(sample_home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = evaluate(sample_home, "--split", "basket", "--repeats", "--no-replay", "--html", str(report))
    text = " ".join(result.stdout.split())
    [(repeated, targets)] = re.findall(r"(\d+) of (\d+) target items are in the user's history\.", text)
    assert 0 < int(repeated) < int(targets)
    assert "--split basket --repeats --requests 2000" in report.read_text()
    assert "Items of the history count when they are repeated" in " ".join(report.read_text().split())


def test_the_help_describes_the_protocol_of_baskets() -> None:
    text = " ".join(re.sub("[│\\s]+", " ", CliRunner().invoke(cli, ["evaluate", "--help"]).stdout).split())
    for shown in (
        "first basket after the cutoff",
        "count when they are repeated",
        "--basket-minutes",
    ):
        assert shown in text


def test_on_the_part_before_the_test(sample_home: Path) -> None:
    found = evaluated(sample_home, "--validation")
    assert (found["protocol"]["validation"], found["train_events"]) == (True, 1_920)


def test_another_baseline_and_several_feeds(sample_home: Path) -> None:
    found = evaluated(sample_home, "--feed", "fresh", "--feed", "home", "--baseline", "trending")
    assert (found["baseline"], found["feeds"]) == ("trending", ["fresh", "home"])
    systems = list(found["systems"])
    week = "popular, 7 days"
    assert systems[:7] == [
        "trending",
        week,
        "fresh (retriever)",
        "popular",
        "fresh: merged",
        "fresh: ranked",
        "fresh",
    ]
    assert systems[-3:] == ["home: merged", "home: ranked", "home"]
    assert len(systems) == len(set(systems))


def test_the_tables_as_markdown(sample_home: Path, tmp_path: Path, whole: Any) -> None:
    report = tmp_path / "report.md"
    evaluated(sample_home, "--markdown", str(report))
    text, systems = report.read_text(), list(whole[0]["systems"])
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    assert rows == [
        *("system", "---", *systems, "difference from popular", "---", *systems[1:]),
        *("p after Holm's correction", "---", *systems[1:], "system", "---", *systems),
    ]
    assert text.startswith("| system | recall@20 | ndcg@10 | coverage@20 |\n")
    assert f"{whole[0]['systems']['home']['recall@20']['mean']:.4f}" in text
    assert all(metric in text for metric in (*METRICS, "gini@20"))


def test_the_report_as_html(sample_home: Path, tmp_path: Path) -> None:
    report = tmp_path / "the report.html"
    evaluated(sample_home, "--requests", "15", "--html", str(report))
    text = report.read_text()
    assert text.startswith("<!doctype html>")
    assert text.count("<svg") == 8
    [command] = re.findall(r"<pre>(.*)</pre>", text)
    assert command.startswith(
        "homefeed evaluate streaming --feed home --baseline popular --split rolling --requests 15 "
    )
    assert command.endswith(" --no-replay --html &#39;" + str(report) + "&#39;")
    assert "2,400" in text


def test_without_matplotlib_nothing_begins(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    failed = run(sample_home, "evaluate", "streaming", "--html", str(tmp_path / "report.html"))
    assert "pip install 'homefeed[report]'" in str(failed.exception)
    assert failed.stderr == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--feed", "home", "--feed", "hme"],
            'no feed "hme" in streaming; there are: popular, trending, fresh, home',
        ),
        (["--baseline", "best"], 'no feed "best" in streaming; there are: popular, trending, fresh, home'),
        (["--feed", "similar"], "the feed similar is about an item; only feeds for a user can be evaluated"),
        (["--markdown", "/no/such/folder/report.md"], "--markdown: no such folder: /no/such/folder"),
        (["--html", "/no/such/folder/report.html"], "--html: no such folder: /no/such/folder"),
        (["--last", "2"], "--last is for --split last; leave it out with --split rolling"),
        (["--split", "last", "--share", "0.5", "--last", "2"], "last, last_share: expected one of them, got both"),
        (["--split", "last", "--revealed", "0"], "--revealed is for --split time or user"),
        (["--split", "user", "--validation"], "validation: only a split at a cutoff in time has a part before"),
        (["--basket-minutes", "5"], "--basket-minutes is for --split basket; leave it out with --split rolling"),
        (
            ["--split", "time", "--retrain", "1d"],
            "--retrain is for --split rolling; leave it out with --split time",
        ),
        (["--split", "last", "--max-trainings", "2"], "--max-trainings is for --split rolling; leave it out with"),
        (["--split", "user", "--within", "1d"], "--within is for --split rolling; leave it out with --split user"),
        (["--within", "soon"], 'expected a duration such as 90s, 10m or 1.5h, got "soon"'),
        (["--retrain", "often"], 'expected a duration such as 90s, 10m or 1.5h, got "often"'),
        (["--revealed", "0.5"], "--revealed is for --split time or user; leave it out with --split rolling"),
        (["--split", "basket", "--revealed", "0.5"], "--revealed is for --split time or user; leave it out with"),
        (["--split", "basket", "--basket-minutes", "999999"], "minutes: expected 0 to 525,600, which is a year"),
        (["--share", "1"], "cutoff_share: expected a share above 0 and below 1, got 1.0"),
        (["--split", "time", "--revealed", "1"], "revealed_share: expected a share from 0 to below 1, got 1.0"),
    ],
)
def test_it_refuses_what_it_cannot_judge(sample_home: Path, options: list[str], message: str) -> None:
    assert str(run(sample_home, "evaluate", "streaming", *options).exception).startswith(message)


def test_it_needs_events(tmp_path: Path) -> None:
    failed = run(tmp_path, "evaluate", "streaming")
    assert str(failed.exception) == "streaming has 0 events to evaluate on; import more first"


APP = """
app = "shelf"
title = "Shelf"
[items.fields]
title = "text"
total_likes = "number"
[events.like]
[sources.events]
unknown_users = "create"
[feeds.popular]
retrieve.popular = {}
rank.weighted = { weights = { popular = 1.0 } }
[feeds.home]
retrieve = { popular = {}, crowd = {} }
rank.weighted = { weights = { popular = 1.0, crowd = 1.0 } }
"""
CROWD = """
import numpy as np
from homefeed.protocols import PartConfig

class Crowd:
    class Config(PartConfig): ...
    def __init__(self, config, resources):
        self.met = np.zeros(resources.catalog.size)
    def retrieve(self, query, k):
        if len(query.user.history) % 7 == 0:
            raise ValueError("seven")
        np.add.at(self.met, query.user.history.items, 1)
        best = np.argsort(-self.met, kind="stable").astype(np.int32)
        best = best[query.eligible[best]][:k]
        return best, (1 + self.met[best]).astype(np.float32)
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An app with a plug-in that learns from every request, and a number that counts all likes there ever were."""
    from homefeed.recipe import find_part

    (tmp_path / "shelf.toml").write_text(APP)
    (tmp_path / "homefeed_test_crowd.py").write_text(CROWD)
    info = tmp_path / "homefeed_test_crowd-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: homefeed_test_crowd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[homefeed.retrieve]\ncrowd = homefeed_test_crowd:Crowd\n")
    monkeypatch.syspath_prepend(tmp_path)
    find_part.cache_clear()
    rng = np.random.default_rng(3)
    rates = [rng.permutation(np.geomspace(1, 40, 150)) for _ in range(2)]
    likes = []
    for second in range(4_000):
        rate = rates[second < 3_200] / rates[second < 3_200].sum()
        likes.append((rng.integers(60), rng.choice(150, p=rate), second))
    total = np.bincount([item for _, item, _ in likes], minlength=150)
    items = "".join(f"b{item},Book {item},{count}\n" for item, count in enumerate(total.tolist()))
    (tmp_path / "items.csv").write_text(f"item_id,title,total_likes\n{items}")
    events = "".join(f"u{user},b{item},like,{1_700_000_000 + 60 * second}\n" for user, item, second in likes)
    (tmp_path / "events.csv").write_text(f"user_id,item_id,event_type,timestamp\n{events}")
    files = ["--items", str(tmp_path / "items.csv"), "--events", str(tmp_path / "events.csv")]
    assert run(tmp_path, "import", str(tmp_path / "shelf.toml"), *files).exit_code == 0
    yield tmp_path
    find_part.cache_clear()
    sys.modules.pop("homefeed_test_crowd", None)


def test_who_reads_the_future_is_named_on_standard_error_and_everywhere(shelf: Path) -> None:
    report = shelf / "report.html"
    files = ("--json", "--html", str(report))
    result = evaluate(shelf, "--split", "time", *files, app=str(shelf / "shelf.toml"))
    found = json.loads(result.stdout)
    assert [leak["name"] for leak in found["leaks"]] == ["total_likes", "crowd", "home: merged", "home"]
    text = " ".join(result.stderr.split())
    for leak in found["leaks"]:
        assert set(leak) == {"name", "measure", "why"}
        assert f"Leak: {leak['name']} {leak['why']}" in text
        assert f"<h3>Leak: {leak['name']}</h3>" in report.read_text()
    assert "remove it" in text
    [failure] = found["failures"]
    assert (failure["part"], failure["error"]) == ("home.crowd", "ValueError: seven")
    assert failure["requests"] >= 1
    assert "Failed: home.crowd failed in" in text


def test_tuned_on_what_came_before_the_test(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weighed_anew = []

    def watched(*given: Any, tune: bool, **options: Any) -> Blended:
        weighed_anew.append(tune)
        return fit_blend(*given, tune=tune, **options)

    monkeypatch.setattr("homefeed.evaluate.offline.fit_blend", watched)
    result = evaluate(sample_home, "--json", "--no-replay", "--tune", "1s", "--requests", "200")
    told = " ".join(result.stderr.split())
    # How many trials a second has room for hangs on the machine.
    assert re.search(r"\bsequence: (the recipe's values stay|tuned to [^(]+) \(\d+ trials", told)
    assert "home.item_item: " in told
    weights = json.loads(result.stdout)["tuning"]["home"]
    assert ("home: weights tuned to" if weights["taken"] else "home: the recipe's weights stay (") in told
    untuned = evaluated(sample_home, "--requests", "200")
    tuned = json.loads(result.stdout)["systems"]
    # Models and retrievers: what a second leads to hangs on the machine.
    moved = set(re.findall(r"\b(\w+): tuned to", told))
    weighed = {"home: ranked", "home", *moved, *({"home: merged"} if moved else ())} & set(tuned)
    assert "home" in weighed
    assert {name: tuned[name] for name in set(tuned) - weighed} == {
        name: untuned["systems"][name] for name in set(untuned["systems"]) - weighed
    }
    assert weighed_anew == [True, False], "weights are tuned, too: taken where they are ahead beyond chance"
    refused = run(sample_home, "evaluate", "streaming", "--tune", "soon")
    assert 'expected a duration such as 90s, 10m or 1.5h, got "soon"' in str(refused.exception)
