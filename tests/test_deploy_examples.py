"""The units and the proxy of examples/deploy are ones that systemd and nginx take, where these are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from homefeed.cli.main import cli
from homefeed.settings import Settings

FOLDER = Path(__file__).parents[1] / "examples" / "deploy"
UNITS = sorted(FOLDER.glob("*.service"))
PROXIES = sorted(FOLDER.glob("*nginx.conf"))


class Unit(RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_run_commands_with_settings_that_are_known(path: Path) -> None:
    unit = Unit(strict=True)
    unit.read(path, encoding="utf-8")
    program, command = unit["Service"]["ExecStart"].split()
    assert program.startswith(unit["Service"]["WorkingDirectory"])
    assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0
    settings = re.findall(r"HOMEFEED_(\w+)=", unit["Service"]["Environment"])
    assert {name.lower() for name in settings} <= Settings.model_fields.keys()
    assert unit["Service"]["ReadWritePaths"] == unit["Service"]["WorkingDirectory"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = re.sub(r"(?<=^ExecStart=)\S+", "/bin/true", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
    files = [str(tmp_path / path.name) for path in UNITS]
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    ours = [line for line in found.stderr.splitlines() if "homefeed" in line]
    assert ours == []


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
@pytest.mark.parametrize("path", PROXIES, ids=lambda path: path.stem)
def test_nginx_takes_its_file(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    own = re.sub(r"listen \d+;", f"listen unix:{tmp_path}/socket;", text)
    (tmp_path / "homefeed.conf").write_text(own)
    http = f"http {{ access_log off; include {tmp_path}/homefeed.conf; }}"
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} {http}"
    (tmp_path / "nginx.conf").write_text(whole)
    tested = ["nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    found = subprocess.run(tested, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_the_proxy_shows_feeds_and_takes_events_and_nothing_else() -> None:
    text = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"location ~ (\S+) \{", text)
    shown = ["/v1/homefeed.js", "/v1/apps/news/feeds/home", "/v1/apps/news/events"]
    hidden = [
        "/v1/apps/news/items",
        "/v1/apps/news/users/u1",
        "/metrics",
        "/v1/apps/news/explain",
        "/v1/apps",
        "/",
    ]
    assert [path for path in shown + hidden if re.search(pattern, path)] == shown
    assert "location / { return 404; }" in text
