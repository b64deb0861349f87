"""The command line as a whole: help, errors, encodings, and how quickly it is there."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.main import get_command
from typer.testing import CliRunner

from homefeed import __version__
from homefeed.cli.main import cli, main

INSTALLED = Path(sys.executable).with_name("homefeed")
COMMANDS = [
    *(
        "demo",
        "serve",
        "compile",
        "doctor",
        "init",
        "generate",
        "import",
        "export",
        "backup",
        "restore",
        "copy",
        "train",
        "models",
        "schedule",
        "size",
        "overview",
        "results",
        "impressions",
    ),
    *("evaluate", "map", "popular", "recommend", "search", "history", "explain", "synonyms"),
    *("erase", "prune", "keys", "users"),
]
ITEMS = "item_id,title,content_type,genre\ni1,Café ★,movie,Drama\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Every test in a folder of its own, with no settings but the home."""
    for name in os.environ:
        if name.startswith("HOMEFEED_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOMEFEED_HOME", "home")
    before = structlog.get_config()
    yield tmp_path
    structlog.configure(**before)


def status_of(*args: str) -> int:
    """What `homefeed ...` exits with."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["homefeed", *args])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def installed(*args: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([INSTALLED, *args], env=os.environ | environment, capture_output=True, check=False)


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    assert re.findall(r"^│ ([a-z]+) ", shown, re.MULTILINE) == COMMANDS
    assert "Start with: homefeed demo" in shown
    assert CliRunner().invoke(cli, []).stdout.strip() == shown.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_an_example_and_says_what_each_option_is(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "200"}).stdout
    assert f"Example: homefeed {command}" in shown
    parameters = get_command(cli).commands[command].params  # type: ignore[attr-defined]
    assert all(parameter.help for parameter in parameters), [parameter.name for parameter in parameters]


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(cli, ["--version"]).stdout == f"homefeed {__version__}\n"


def test_help_needs_no_heavy_library() -> None:
    heavy = ("polars", "numpy", "scipy", "sklearn", "sqlalchemy", "fastapi", "uvicorn")
    code = (
        "import sys; from typer.testing import CliRunner; from homefeed.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['recommend', '--help']).exit_code == 0\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_error_is_one_sentence_without_a_traceback() -> None:
    done = installed("popular")
    expected = (
        b"homefeed: streaming has no items yet in home; "
        b"import some: homefeed import streaming FOLDER, or try: homefeed demo\n"
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"", expected, 1)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("popular", "streaming has no items yet in home; import some: homefeed import streaming FOLDER"),
        ("recommend --user_id u1", "streaming has no items yet"),
        ("explain --user_id u1 --item_id i1", "streaming has no items yet"),
        ("train streaming", "streaming has no items yet; import some first"),
        ("evaluate streaming", "streaming has 0 events to evaluate on; import more first"),
        (
            "popular --app films",
            'no app "films": expected one of community, live, marketplace, shop, streaming, or the path of ',
        ),
        ("train films", 'no app "films"'),
        (
            "train streaming weekly",
            'no job or model "weekly" in streaming; the jobs are: hourly, daily; the models are: item_item, ',
        ),
        ("schedule films", 'no app "films"'),
        (
            "schedule streaming --once weekly",
            'no job "weekly"; the jobs are, by app: streaming hourly, str',
        ),
        ("schedule --list --once daily", "--list shows the jobs and --once runs one: choose one of them"),
        ("schedule --json", "--json is for --list"),
        ("generate films", 'no app "films"'),
        ("popular --app no/such.toml", "no/such.toml: no such file; expected a recipe in TOML"),
        ("popular --app broken.toml", "broken.toml: not valid TOML: "),
        ("popular --app empty.toml", "empty.toml: app: missing; this key is required"),
        ("import streaming", "nothing to import: name a folder, or --users, --items, --events or --impressions"),
        ("import streaming no-folder", "no-folder: no such folder"),
        ("import streaming --items no.csv", "no.csv: no such file"),
        ("import streaming --items items.csv --mapping no.toml", "no.toml: no such file"),
        ("import streaming --items events.csv", 'events.csv: no column "title"'),
        ("import streaming --events items.csv", 'items.csv: no column "user_id"'),
        ("recommend --user_id=", "user_id: expected 1 to 255 characters, got 0"),
        ("history --user_id=", "user_id: expected 1 to 255 characters, got 0"),
        ("explain --user_id= --item_id i1", "user_id: expected 1 to 255 characters, got 0"),
        ("popular --k 0", "k: expected 1 or more, got 0"),
        ("recommend --user_id u1 --k -3", "k: expected 1 or more, got -3"),
        ("history --user_id u1 --limit 0", "limit: expected 1 or more, got 0"),
        ("erase streaming --user u1 --yes", 'no user "u1" in streaming'),
        ("erase films --user u1 --yes", 'no app "films"'),
        ("prune films", 'no app "films"'),
    ],
)
def test_every_error_is_one_sentence(command: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.toml").write_text("app = [")
    Path("empty.toml").write_text('title = "x"\n[items.fields]\ntitle = "text"\n')
    Path("items.csv").write_text(ITEMS)
    Path("events.csv").write_text("user_id,item_id,event_type,watch_seconds,timestamp\n")
    assert status_of(*command.split()) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines()[0].startswith(f"homefeed: {message}")
    assert printed.out == ""
    if "empty" not in command:  # a recipe's every fault has a line of its own
        assert printed.err.count("\n") == 1, printed.err


def test_a_feed_or_filter_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    Path("items.csv").write_text(ITEMS)
    Path("films.toml").write_text(
        'app = "streaming"\n[items.fields]\ntitle = "text"\n[events.like]\n'
        "[feeds.popular.retrieve.popular]\n[feeds.popular.rank.weighted.weights]\npopular = 1.0\n"
    )
    assert status_of("import", "streaming", "--items", "items.csv") == 0
    capsys.readouterr()
    assert status_of("recommend", "--user_id", "u1", "--feed", "hme") == 1
    assert capsys.readouterr().err.endswith(
        'homefeed: no feed "hme" in streaming; there are: popular, trending, fresh, home, next, similar\n'
    )
    assert status_of("popular", "--app", "films.toml", "--genre", "Drama") == 1
    assert "genre" in capsys.readouterr().err


def test_wrong_settings_are_named_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEFEED_PORT", "many")
    monkeypatch.setenv("HOMEFEED_SEED", "much")
    assert status_of("popular") == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("homefeed: setting port: ")
    assert second.startswith("setting seed: ")


def test_a_broken_file_of_settings_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("homefeed.toml").write_text("home = [")
    assert status_of("popular") == 1
    assert capsys.readouterr().err.startswith("homefeed: homefeed.toml: not valid TOML: ")


@pytest.mark.parametrize(
    "command", ["popular", "history --user_id u1", "train streaming", "serve --port 0", "doctor"]
)
def test_a_store_out_of_reach_costs_no_password(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOMEFEED_DATABASE_URL", "postgresql://me:sekret@127.0.0.1:1/db")
    assert status_of(*command.split()) == 1
    printed = "".join(capsys.readouterr())
    assert "postgresql" in printed
    assert "127.0.0.1:1/db cannot be used" in printed
    assert "sekret" not in printed


def test_a_home_that_is_no_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("items.csv").write_text(ITEMS)
    monkeypatch.setenv("HOMEFEED_HOME", "items.csv")
    assert status_of("popular") == 1
    monkeypatch.setenv("HOMEFEED_DATABASE_URL", "sqlite:///elsewhere.db")
    assert status_of("popular") == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("homefeed: the store at sqlite")
    assert second.startswith("homefeed: streaming has no items yet in items.csv")


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert status_of("serve", "--port", str(port)) == 1
    message = f"homefeed: cannot listen at 127.0.0.1:{port}: "
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize(
    "command", ["nonsense", "recommend", "popular --k many", "popular --nope", "serve --port -1"]
)
def test_wrong_usage_is_reported_in_a_box(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(*command.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: homefeed" in printed.err
    assert "Traceback" not in printed.err


def test_a_title_need_not_fit_the_encoding_of_the_terminal() -> None:
    Path("items.csv").write_text(ITEMS)
    assert status_of("import", "streaming", "--items", "items.csv") == 0
    done = installed("popular", PYTHONIOENCODING="latin-1")
    assert done.stdout == b"Top 10 Popular Items:\n1. i1 - Caf\xe9 \\u2605\n"
    done = installed("popular", PYTHONIOENCODING="utf-8")
    assert done.stdout.decode() == "Top 10 Popular Items:\n1. i1 - Café ★\n"
    done = installed("recommend", "--user_id", b"\xff".decode("utf-8", "surrogateescape"))
    assert done.returncode == 1
    assert done.stderr == b"homefeed: user_id: NUL and unpaired surrogates cannot be stored\n"


def test_a_reader_may_leave_early() -> None:
    lines = "".join(f"i{n},Title {n},movie,Drama\n" for n in range(3_000))
    Path("items.csv").write_text(ITEMS.splitlines()[0] + "\n" + lines)
    assert status_of("import", "streaming", "--items", "items.csv") == 0
    with subprocess.Popen(
        [INSTALLED, "popular", "--k", "3000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
