"""generate and import."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import done, run

NAMES = ["users", "items", "events", "truth_users"]
SMALL = ("--users", "20", "--items", "30", "--events", "200")


def imported(home: Path, *args: str) -> Any:
    return json.loads(done(home, "import", "streaming", *args, "--json"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated") / "sample"
    done(folder.parent, "generate", "streaming", "--out", str(folder), *SMALL)
    return folder


def test_generate_names_the_files_it_wrote(tmp_path: Path) -> None:
    result = run(tmp_path, "generate", "streaming", "--out", str(tmp_path / "s"), *SMALL)
    assert result.stdout.splitlines() == [str(tmp_path / "s" / f"{name}.csv") for name in NAMES]
    assert "20 users, 30 items, 200 events:" in result.stderr


def test_generate_writes_to_sample_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done(tmp_path, "generate", "streaming", *SMALL)
    assert sorted(path.stem for path in Path("sample").iterdir()) == sorted(NAMES)


def test_generate_the_same_seed_the_same_bytes(tmp_path: Path, sample: Path) -> None:
    for name, seed in (("same", "42"), ("other", "43")):
        done(tmp_path, "generate", "streaming", "--out", str(tmp_path / name), "--seed", seed, *SMALL)
    for name in NAMES:
        written = (sample / f"{name}.csv").read_bytes()
        assert (tmp_path / "same" / f"{name}.csv").read_bytes() == written
        assert (tmp_path / "other" / f"{name}.csv").read_bytes() != written


def test_generate_tells_json_what_it_wrote(tmp_path: Path) -> None:
    args = ("--format", "jsonl", "--end", "2025-06-01", "--json")
    summary = json.loads(done(tmp_path, "generate", "streaming", "--out", str(tmp_path), *SMALL, *args))
    files = [str(tmp_path / f"{name}.jsonl") for name in NAMES]
    assert summary == {"users": 20, "items": 30, "events": 200, "files": files}
    times = [json.loads(line)["timestamp"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert "2025-05" < max(times) < "2025-06-01"


def test_generate_names_streams_and_interactions_as_live_does(tmp_path: Path) -> None:
    args = ("--users", "20", "--streams", "30", "--interactions", "200", "--json")
    summary = json.loads(done(tmp_path, "generate", "live", "--out", str(tmp_path / "s"), *args))
    assert (summary["users"], summary["items"], summary["events"]) == (20, 30, 200)
    names = ["users", "streams", "interactions", "click_samples"]
    assert summary["files"][:4] == [str(tmp_path / "s" / f"{name}.parquet") for name in names]


def test_generate_names_listings_as_marketplace_does(tmp_path: Path) -> None:
    args = ("--users", "20", "--listings", "30", "--interactions", "200", "--json")
    summary = json.loads(done(tmp_path, "generate", "marketplace", "--out", str(tmp_path / "s"), *args))
    assert (summary["users"], summary["items"], summary["events"]) == (20, 30, 200)
    names = ["users", "listings", "interactions"]
    assert summary["files"][:3] == [str(tmp_path / "s" / f"{name}.csv") for name in names]


@pytest.mark.parametrize("option", [("--format", "xml"), ("--seed", "-1"), ("--users", "0"), ("--end", "soon")])
def test_generate_refuses_what_it_cannot_do(tmp_path: Path, option: tuple[str, str]) -> None:
    result = run(tmp_path, "generate", "streaming", "--out", str(tmp_path / "s"), *option)
    assert result.exit_code == 2
    assert option[0] in result.stderr
    assert not (tmp_path / "s").exists()


def test_generate_has_samples_of_the_ready_made_apps_only(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'app = "films"\n[items.fields]\ntitle = "text"\n[events.like]\n'
        "[feeds.best.retrieve.popular]\n[feeds.best.rank.weighted.weights]\npopular = 1.0\n"
    )
    result = run(tmp_path, "generate", str(own))
    assert str(result.exception) == f"there is no sample of {own}; only the ready-made apps have one"


def test_generate_cannot_write_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert isinstance(
        run(tmp_path, "generate", "streaming", "--out", str(tmp_path / "file"), *SMALL).exception, OSError
    )


def test_import_reports_on_every_row(tmp_path: Path, sample: Path) -> None:
    report = imported(tmp_path, str(sample))
    assert {"app", "started_at", "finished", "seconds", "files", "events"} == set(report)
    rows = {kind: (file["rows"], file["loaded"], file["new"]) for kind, file in report["files"].items()}
    assert rows == {"users": (20, 20, 20), "items": (30, 30, 30), "events": (200, 200, 200)}
    assert all(file["rejected"]["total"] == 0 for file in report["files"].values())


def test_import_prints_the_report(tmp_path: Path, sample: Path) -> None:
    result = run(tmp_path, "import", "streaming", str(sample))
    assert result.stdout.startswith("Import into streaming, ")
    assert all(count in result.stdout for count in ("20", "30", "200"))
    assert "events" in result.stderr, "the progress bar"


def test_import_twice_changes_nothing(tmp_path: Path, sample: Path) -> None:
    imported(tmp_path, str(sample))
    before = [done(tmp_path, *ask) for ask in (("popular",), ("history", "--user_id", "u1"))]
    again = imported(tmp_path, str(sample))["files"]
    assert (again["events"]["loaded"], again["events"]["duplicates"]["total"]) == (0, 200)
    assert [(again[kind]["new"], again[kind]["rejected"]["total"]) for kind in ("users", "items")] == [(0, 0)] * 2
    assert [done(tmp_path, *ask) for ask in (("popular",), ("history", "--user_id", "u1"))] == before


def test_import_takes_single_files(tmp_path: Path, sample: Path) -> None:
    report = imported(tmp_path, "--items", str(sample / "items.csv"), "--users", str(sample / "users.csv"))
    assert set(report["files"]) == {"users", "items"}
    assert report["events"] is None
    other = tmp_path / "other.csv"
    other.write_text("user_id,item_id,event_type,watch_seconds,timestamp\nu1,i1,play,60,2026-01-01\n")
    report = imported(tmp_path, str(sample), "--events", str(other))
    assert report["files"]["events"]["path"] == str(other)
    assert report["files"]["events"]["loaded"] == 1


def test_import_counts_bad_rows_by_reason_and_loads_the_good_ones(tmp_path: Path, sample: Path) -> None:
    imported(tmp_path, str(sample))
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "user_id,item_id,event_type,watch_seconds,timestamp\n"
        "u1,i1,play,60,2026-01-01\n"
        "u1,i1,play,60,2026-01-01\n"
        "u1,nope,play,60,2026-01-01\n"
        "u1,i1,play,-5,2026-01-01\n"
        "u1,i1,play,99999999,2026-01-01\n"
        "u1,i1,play,60,someday\n"
        "u1,,play,60,2026-01-01\n"
    )
    events = imported(tmp_path, "--events", str(bad))["files"]["events"]
    counts = events["loaded"], events["duplicates"]["total"], events["rejected"]["total"]
    assert counts == (1, 1, 5)
    assert all(reason["examples"] for reason in events["rejected"]["reasons"])
    shown = done(tmp_path, "import", "streaming", "--events", str(bad))
    assert "someday" in shown


def test_import_with_a_mapping(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[sources.items.columns]\nitem_id = "id"\ntitle = "name"\ncontent_type = { value = "movie" }\n'
        'genre = "kinds"\n'
    )
    movies = tmp_path / "movies.csv"
    movies.write_text("id,name,kinds\n7,Toy Story,Comedy|Family\n")
    assert imported(tmp_path, "--items", str(movies), "--mapping", str(mapping))["files"]["items"]["loaded"] == 1
    assert done(tmp_path, "popular", "--genre", "Family").splitlines()[1] == "1. 7 - Toy Story"
