"""init, and the file of settings that it changes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from tests.cli.running import done, run
from tests.ingest.test_spreadsheet import workbook

from homefeed.cli.settings_file import add_app, with_app
from homefeed.errors import SettingsError

ITEMS = "id;title;genre\n" + "".join(f"i{n};Caf\u00e9 {n};{'Bar' if n % 2 else 'Tee'}\n" for n in range(12))
EVENTS = "".join(
    json.dumps({"user": f"u{n % 4}", "item": f"i{n % 12}", "ts": 1767600000000 + n}) + "\n" for n in range(24)
)


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "cafes.csv").write_text(ITEMS, encoding="cp1252")
    (folder / "visits.jsonl").write_text(EVENTS)
    return folder


def test_a_folder_becomes_an_app(export: Path) -> None:
    Path("homefeed.toml").write_text("# mine\nport = 8100\n\n[recipes.shop]\n")
    told = json.loads(done(export.parent / "home", "init", "cafes", "--from", "export", "--yes", "--json"))
    assert {file["file"]: file["kind"] for file in told["files"]} == {
        "cafes.csv": "items",
        "visits.jsonl": "events",
    }
    assert (told["report"]["files"]["items"]["loaded"], told["report"]["files"]["events"]["loaded"]) == (12, 24)
    recipe = Path("cafes/recipe.toml").read_text()
    assert 'encoding = "cp1252"' in recipe
    assert 'delimiter = ";"' in recipe
    assert Path("homefeed.toml").read_text() == (
        'apps = ["cafes/recipe.toml"]\n# mine\nport = 8100\n\n[recipes.shop]\n'
    )
    assert "Caf\u00e9 1" in done(
        export.parent / "home", "history", "--app", "cafes/recipe.toml", "--user_id", "u1"
    )


def test_it_prints_what_to_do_next_and_reads_a_zip_file(export: Path) -> None:
    with zipfile.ZipFile("export.zip", "w") as archive:
        for path in export.iterdir():
            archive.write(path, f"dump/{path.name}")
    result = run(export.parent / "home", "init", "cafes", "--from", "export.zip", "--yes", COLUMNS="100")
    assert result.exit_code == 0, result.exception
    assert result.stdout.rstrip().endswith("Next:\n  homefeed train cafes\n  homefeed serve")
    assert "cafes.csv: items, about 12 rows" in result.stdout


def test_a_workbook_by_itself_is_read(export: Path) -> None:
    items: list[list[str | float]] = [["item_id", "title"]]
    items += [[f"i{n}", f"Caf\u00e9 {n}"] for n in range(12)]
    events: list[list[str | float]] = [["user_id", "item_id", "timestamp"]]
    events += [[f"u{n % 4}", f"i{n % 12}", f"2026-01-{n + 1:02}"] for n in range(24)]
    workbook(export.parent / "shop.xlsx", items=items, events=events)
    told = json.loads(done(export.parent / "home", "init", "cafes", "--from", "shop.xlsx", "--yes", "--json"))
    assert {kind: file["loaded"] for kind, file in told["report"]["files"].items()} == {"items": 12, "events": 24}


def test_events_that_are_not_understood_are_no_reason_to_go_on_without_them(export: Path) -> None:
    lines = "".join(
        json.dumps({"x": f"u{n % 4}", "y": f"i{n % 12}", "ts": 1767600000 + n}) + "\n" for n in range(24)
    )
    (export / "visits.jsonl").write_text(lines)
    result = run(export.parent / "home", "init", "cafes", "--from", "export", "--yes")
    assert "visits.jsonl: no column is recognised as who (ids of users): call it user_id" in str(result.exception)
    assert not Path("cafes").exists()
    done(export.parent / "home", "init", "cafes", "--from", "export", "--yes", "--no-import")
    assert Path("cafes/recipe.toml").exists()


def test_nothing_is_written_over_or_asked_of_nobody(export: Path) -> None:
    def refused(*args: str) -> str:
        return str(run(export.parent / "home", "init", *args, "--from", "export").exception)

    assert "add --yes" in refused("cafes")
    assert not Path("cafes").exists()
    assert "ready-made app" in refused("shop", "--yes")
    assert "no name of an app" in refused("My-App", "--yes")
    Path("cafes").mkdir()
    assert "is there already" in refused("cafes", "--yes")
    done(export.parent / "home", "init", "cafes", "--from", "export", "--yes", "--force", "--no-import")
    assert Path("cafes/recipe.toml").exists()


def test_somebody_is_asked_and_can_say_what_a_file_is(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.cli.init._is_terminal", lambda: True)
    result = run(
        export.parent / "home",
        "init",
        "cafes",
        "--from",
        "export",
        "--no-import",
        answer="n\nitems\nwhat\nnothing\ny\n",
    )
    assert result.exit_code == 0, result.exception
    assert "homefeed import cafes export" in result.stdout
    assert "[sources.events]" not in Path("cafes/recipe.toml").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'apps = ["a/recipe.toml"]\n'),
        ('apps = ["shop"] # all\nport = 1\n', 'apps = ["shop", "a/recipe.toml"] # all\nport = 1\n'),
        ('apps = [\n  "shop",  # b\n]\n', 'apps = [\n  "shop",  # b\n  "a/recipe.toml",\n]\n'),
        ('apps = "shop, live"\n', 'apps = "shop,live,a/recipe.toml"\n'),
        ('apps = ["a/recipe.toml"]\n', 'apps = ["a/recipe.toml"]\n'),
        (
            'apps = [\n  "shop"\n  # "live" comes later\n]\nport = 1 # ours\n',
            'apps = ["shop", "a/recipe.toml"]\nport = 1 # ours\n',
        ),
        ('\ufeffapps = ["shop"]\n', 'apps = ["shop", "a/recipe.toml"]\n'),
    ],
)
def test_an_app_is_added_and_the_rest_stays(before: str, after: str) -> None:
    assert with_app(before, "a/recipe.toml") == after


def test_the_file_of_settings_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    add_app("shop")
    Path("homefeed.toml").chmod(0o640)
    Path("homefeed.toml").write_bytes(b'\xef\xbb\xbfapps = ["shop"]\r\nport = 1\r\n')
    add_app("live")
    assert Path("homefeed.toml").read_bytes() == b'apps = ["shop", "live"]\r\nport = 1\r\n'
    assert Path("homefeed.toml").stat().st_mode & 0o777 == 0o640
    assert [each.name for each in Path().iterdir()] == ["homefeed.toml"]
    Path("homefeed.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(SettingsError, match="not valid UTF-8"):
        add_app("other")


def test_settings_that_cannot_be_changed() -> None:
    with pytest.raises(SettingsError, match="not valid TOML"):
        with_app("apps = [", "a")
    with pytest.raises(SettingsError, match="expected a list"):
        with_app("apps = 1", "a")
