"""popular, recommend, history, explain, on the contract's own little world and on the sample."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import structlog
from tests.cli.running import done
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli

INSTALLED = Path(sys.executable).with_name("homefeed")

FILES = {
    "users.csv": """\
user_id,age,gender,region
u1,30,F,North
u2,40,M,South
u3,50,O,South
new,20,F,North
""",
    "items.csv": """\
item_id,title,content_type,genre
i1,Drama Series A,series,Drama
i2,Family Show B,tv,Family
i3,Microdrama C,microdrama,Drama
""",
    "events.csv": """\
user_id,item_id,event_type,watch_seconds,timestamp
u1,i1,play,2600,2026-01-01T10:00:00Z
u1,i2,play,1900,2026-01-02T10:00:00Z
u2,i1,play,2500,2026-01-01T11:00:00Z
u2,i3,play,90,2026-01-01T12:00:00Z
u2,i2,play,1500,2026-01-03T12:00:00Z
u3,i2,play,1800,2026-01-03T13:00:00Z
""",
}

TOP = """\
Top 5 Popular Items:
1. i2 - Family Show B
2. i1 - Drama Series A
3. i3 - Microdrama C
"""


def environment(home: Path) -> dict[str, str | None]:
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    return foreign | {"HOMEFEED_HOME": str(home)}


def run(home: Path, *args: str) -> Result:
    before = structlog.get_config()
    try:
        return CliRunner().invoke(cli, args, env=environment(home))
    finally:
        structlog.configure(**before)


def ask(home: Path, *args: str) -> str:
    result = run(home, *args)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def ask_json(home: Path, *args: str) -> Any:
    return json.loads(ask(home, *args, "--json"))


def installed(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | environment(home)
    strings = {name: value for name, value in env.items() if value is not None}
    return subprocess.run([INSTALLED, *args], env=strings, cwd=home, text=True, capture_output=True, check=False)


def lines_of(answer: dict[str, Any]) -> list[str]:
    return [f"{place}. {item['item_id']} - {item['title']}" for place, item in enumerate(answer["items"], 1)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The world of the contract's page, imported and trained."""
    folder = tmp_path_factory.mktemp("contract")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    ask(folder, "import", "streaming", str(folder))
    ask(folder, "train", "streaming")
    return folder


def test_popular_prints_what_the_contract_shows(home: Path) -> None:
    done = installed(home, "popular", "--k", "5")
    assert (done.stdout, done.stderr, done.returncode) == (TOP, "", 0)


def test_recommend_prints_what_the_contract_shows(home: Path) -> None:
    done = installed(home, "recommend", "--user_id", "u1", "--k", "5")
    expected = "Recommendations for user u1:\n1. i3 - Microdrama C\n"
    assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)


def test_history_prints_the_newest_first(home: Path) -> None:
    assert ask(home, "history", "--user_id", "u1") == (
        "History of user u1:\n"
        "1. i2 - Family Show B (play, 1900, 2026-01-02T10:00:00Z)\n"
        "2. i1 - Drama Series A (play, 2600, 2026-01-01T10:00:00Z)\n"
    )


def test_options_may_be_spelled_with_a_hyphen(home: Path) -> None:
    assert ask(home, "recommend", "--user-id", "u1") == ask(home, "recommend", "--user_id", "u1")
    spelled = [ask(home, "popular", option, "series") for option in ("--content_type", "--content-type")]
    assert spelled == ["Top 10 Popular Items:\n1. i1 - Drama Series A\n"] * 2


@pytest.mark.parametrize("user_id", ["nobody", "new"])
def test_a_user_without_history_reads_that_the_list_is_the_popular_one(home: Path, user_id: str) -> None:
    notice, header, *rest = ask(home, "recommend", "--user_id", user_id, "--k", "5").splitlines()
    assert notice == f"User {user_id} has no usable history: this is the popular list."
    assert header == f"Recommendations for user {user_id}:"
    assert rest == TOP.splitlines()[1:]
    answer = ask_json(home, "recommend", "--user_id", user_id)
    assert answer["fallback_used"] is True
    assert answer["items"] == ask_json(home, "popular")["items"]


def test_only_a_feed_that_falls_back_says_so(home: Path) -> None:
    answer = ask(home, "recommend", "--user_id", "nobody", "--feed", "trending")
    assert answer.splitlines()[0] == "Recommendations for user nobody:"
    assert ask_json(home, "recommend", "--user_id", "nobody", "--feed", "trending")["fallback_used"] is False


def test_without_a_name_it_is_the_feed_that_people_see_first(home: Path) -> None:
    settings = {"HOMEFEED_RECIPES": json.dumps({"streaming": {"home": "trending"}})}
    recommended = json.loads(done(home, "recommend", "--user_id", "u1", "--json", **settings))
    assert recommended == ask_json(home, "recommend", "--user_id", "u1", "--feed", "trending")
    assert recommended != ask_json(home, "recommend", "--user_id", "u1")
    trace = json.loads(done(home, "explain", "--user_id", "u1", "--item_id", "i3", "--json", **settings))
    assert trace["feed"] == "trending"


def test_the_reason_is_printed_under_each_line(home: Path) -> None:
    assert ask(home, "recommend", "--user_id", "u1", "--reason") == (
        "Recommendations for user u1:\n1. i3 - Microdrama C\n   Because you watched Drama Series A\n"
    )
    popular = ask_json(home, "popular")
    under_each = [text for line, item in zip(lines_of(popular), popular["items"], strict=True)
                  for text in (line, f"   {item['reason']}")]  # fmt: skip
    assert ask(home, "popular", "--reason").splitlines()[1:] == under_each


def test_k_larger_than_the_catalogue_gives_all_of_it(home: Path, sample_home: Path) -> None:
    assert ask(home, "popular", "--k", "5000").splitlines()[1:] == TOP.splitlines()[1:]
    everything = ask_json(sample_home, "popular", "--k", "5000")["items"]
    assert len(everything) == len({item["item_id"] for item in everything}) == 120


def test_a_filter_nothing_meets_says_so(home: Path) -> None:
    assert ask(home, "popular", "--genre", "Horror") == "Top 10 Popular Items:\nNothing matches.\n"
    assert ask_json(home, "popular", "--genre", "Horror") == {"k": 10, "items": []}


@pytest.mark.parametrize("wanted", [{"genre": "Drama"}, {"content_type": "movie"}, {"content_type": "microdrama"},
                                    {"genre": "Comedy", "content_type": "series"}])  # fmt: skip
def test_filters_give_k_items_whenever_k_match(sample_home: Path, wanted: dict[str, str]) -> None:
    items = pl.read_csv(sample_home / "sample" / "items.csv").to_dicts()
    events = pl.read_csv(sample_home / "sample" / "events.csv")
    matching = {row["item_id"] for row in items
                if all(value in row[name].split("|") for name, value in wanted.items())}  # fmt: skip
    options = [part for name, value in wanted.items() for part in (f"--{name}", value)]
    user_id = events["user_id"].mode().sort()[0]
    unseen = matching - set(events.filter(pl.col("user_id") == user_id)["item_id"])
    for k in (1, 5, 100):
        popular = ask_json(sample_home, "popular", "--k", str(k), *options)["items"]
        assert len(popular) == min(k, len(matching)), wanted
        assert {item["item_id"] for item in popular} <= matching
        own = ask_json(sample_home, "recommend", "--user_id", user_id, "--k", str(k), *options)["items"]
        assert len(own) >= min(k, len(unseen)), wanted
        assert {item["item_id"] for item in own} <= matching


def test_history_is_limited_and_says_where_there_is_none(home: Path) -> None:
    assert len(ask_json(home, "history", "--user_id", "u2", "--limit", "2")["items"]) == 2
    assert ask(home, "history", "--user_id", "nobody") == "User nobody has no history yet.\n"
    assert ask_json(home, "history", "--user_id", "nobody") == {"user_id": "nobody", "items": []}


def test_json_holds_the_keys_of_the_contract(home: Path) -> None:
    item = {"item_id", "title", "reason", "score"}
    popular = ask_json(home, "popular", "--k", "2")
    assert (set(popular), popular["k"], [set(i) for i in popular["items"]]) == ({"k", "items"}, 2, [item] * 2)
    own = ask_json(home, "recommend", "--user_id", "u1", "--k", "2")
    assert own | {"items": 0} == {"user_id": "u1", "k": 2, "items": 0, "fallback_used": False}
    assert [set(i) for i in own["items"]] == [item]
    assert ask_json(home, "history", "--user_id", "u1", "--limit", "1") == {
        "user_id": "u1",
        "items": [
            {
                "item_id": "i2",
                "title": "Family Show B",
                "event_type": "play",
                "value": 1900.0,
                "timestamp": "2026-01-02T10:00:00Z",
            }
        ],
    }


def test_explain_tells_why_an_item_is_shown(home: Path) -> None:
    explained = ask(home, "explain", "--user_id", "u1", "--item_id", "i3")
    assert explained.startswith(
        "Shown at place 1: item i3 for user u1\n"
        "Reason: Because you watched Drama Series A\n"
        "Filters passed: availability, request, blocked, consumption_limit, duplicates\n"
    )
    assert all(name in explained for name in ("sequence", "item_item", "content", "trending", "fresh", "popular"))
    assert re.search(r"^Score \d\.\d{4}, place 1 of 1 candidates$", explained, re.MULTILINE)
    models = explained.splitlines()[-1]
    every = ("signals", "exposures", "item_item", "sequence", "content")
    named = ", ".join(rf"{name} \d{{8}}T\S+" for name in every)
    assert re.fullmatch(f"Models: {named}", models)
    trace = ask_json(home, "explain", "--user_id", "u1", "--item_id", "i3")
    assert {f"{name} {version}" for name, version in trace["models"].items()} == set(models[8:].split(", "))
    assert {"verdict", "place", "score", "reason", "filters", "retrievers", "features"} <= set(trace)
    assert trace["score"] == pytest.approx(sum(feature["contribution"] for feature in trace["features"]))


def test_explain_tells_what_stopped_an_item(home: Path) -> None:
    explained = ask(home, "explain", "--user_id", "u1", "--item_id", "i1")
    assert explained.startswith(
        "Not shown: stopped by consumption_limit: item i1 for user u1\n"
        "Filter consumption_limit stopped it\n"
        "Filters passed: availability, request, blocked, duplicates\n"
    )
    assert "Score" not in explained


def test_explain_tells_that_nothing_proposed_an_item(home: Path) -> None:
    (home / "narrow.toml").write_text(
        'app = "streaming"\n[items.fields]\ntitle = "text"\n[events.play]\nfull = "typical"\n[models.item_item]\n'
        "[feeds.home.retrieve.item_item]\n[feeds.home.rank.weighted.weights]\nitem_item = 1.0\n"
    )
    explained = ask(home, "explain", "--user_id", "nobody", "--item_id", "i1", "--app", str(home / "narrow.toml"))
    assert explained.startswith("Not shown: no retriever proposed it: item i1 for user nobody\n")


def test_explain_of_an_unknown_item_is_an_error(home: Path) -> None:
    failed = run(home, "explain", "--user_id", "u1", "--item_id", "nope")
    assert str(failed.exception) == 'no item "nope" in streaming'


def test_a_feed_about_an_item_takes_its_id(home: Path) -> None:
    failed = run(home, "recommend", "--user_id", "u1", "--feed", "similar")
    assert str(failed.exception) == "item_id: the feed similar is about an item; name it"
    similar = ask_json(home, "recommend", "--user_id", "nobody", "--feed", "similar", "--item_id", "i1")
    assert {item["item_id"] for item in similar["items"]} == {"i2", "i3"}


def test_recommend_takes_a_place_and_a_radius(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text(
        'app = "town"\n[items.fields]\ntitle = "text"\nlocation = "location"\n[events.like]\n'
        "[feeds.home]\nretrieve.popular = {}\nrank.weighted.weights.popular = 1\n"
    )
    (tmp_path / "items.csv").write_text("item_id,title,latitude,longitude\na,A,48.86,2.34\nb,B,51.5,-0.1\n")
    town = str(tmp_path / "town.toml")
    ask(tmp_path, "import", town, str(tmp_path))
    place = ("--latitude", "48.85", "--longitude", "2.35")
    near = ask_json(tmp_path, "recommend", "--app", town, "--user_id", "u", *place, "--radius-km", "50")
    assert [item["item_id"] for item in near["items"]] == ["a"]
    half = run(tmp_path, "recommend", "--app", town, "--user_id", "u", "--latitude", "48.85")
    assert str(half.exception) == "longitude: expected both latitude and longitude, or neither"


def test_before_training_it_says_so_and_answers_all_the_same(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    ask(tmp_path, "import", "streaming", str(tmp_path))
    result = run(tmp_path, "recommend", "--user_id", "u1")
    assert result.stderr == "Not trained yet; for better recommendations: homefeed train streaming\n"
    assert result.stdout == "Recommendations for user u1:\n1. i3 - Microdrama C\n"


def test_data_cannot_steer_the_terminal(tmp_path: Path) -> None:
    titles = {"i1": "[REC]", "i2": "[bold]loud[/bold] \\", "i3": "red \x1b[31m\nand two lines\x9b"}
    items: list[dict[str, str | int]] = [
        {"item_id": i, "title": t, "content_type": "movie", "genre": "Drama"} for i, t in titles.items()
    ]
    events: list[dict[str, str | int]] = [
        {"user_id": "u\x1b", "item_id": i, "watch_seconds": 9, "timestamp": f"2026-01-0{day}"}
        for day, i in enumerate(titles, 1)
    ]
    for name, rows in {"items": items, "events": events}.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "users.csv").write_text("user_id,age,gender,region\nu\x1b,30,F,North\n")
    ask(tmp_path, "import", "streaming", str(tmp_path), "--json")
    shown = {"i1": "[REC]", "i2": "[bold]loud[/bold] \\", "i3": "red \\x1b[31m\\nand two lines\\x9b"}
    every = {f"{i} - {title}" for i, title in shown.items()}
    popular = ask(tmp_path, "popular", "--reason")
    assert {line[3:] for line in popular.splitlines()[1::2]} == every
    history = ask(tmp_path, "history", "--user_id", "u\x1b")
    assert {line[3:].partition(" (")[0] for line in history.splitlines()[1:]} == every
    recommended = ask(tmp_path, "recommend", "--user_id", "u\x1b", "--reason")
    explained = ask(tmp_path, "explain", "--user_id", "u\x1b", "--item_id", "i1")
    assert "\x1b" not in popular + history + recommended + explained
    assert {item["title"] for item in ask_json(tmp_path, "popular")["items"]} == set(titles.values())


def test_with_isolation_popular_requires_a_user(tmp_path: Path) -> None:
    (tmp_path / "town.toml").write_text(
        'app = "town"\n[items.fields]\ntitle = "text"\nplace = "category"\n[users.fields]\nplace = "category"\n'
        '[events.like]\n[isolation]\nitem = "place"\nuser = "place"\n'
        "[feeds.popular]\nretrieve.popular = {}\nrank.weighted.weights.popular = 1\n"
    )
    (tmp_path / "users.csv").write_text("user_id,place\nn,north\ns,south\n")
    (tmp_path / "items.csv").write_text("item_id,title,place\na,A,north\nb,B,south\n")
    town = str(tmp_path / "town.toml")
    ask(tmp_path, "import", town, str(tmp_path))
    failed = run(tmp_path, "popular", "--app", town)
    assert str(failed.exception) == (f"{town} shows users items of their own place only; add --user_id USER")
    assert ask(tmp_path, "popular", "--app", town, "--user_id", "n").splitlines()[1:] == ["1. a - A"]
    assert ask(tmp_path, "popular", "--app", town, "--user-id", "s").splitlines()[1:] == ["1. b - B"]
    assert ask(tmp_path, "popular", "--app", town, "--user_id", "x").splitlines()[1:] == ["Nothing matches."]
    assert str(run(tmp_path, "popular", "--app", town, "--user_id", "").exception).startswith(
        "user_id: expected 1"
    )
