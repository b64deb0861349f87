"""Runs commands as a user of a home would, without the settings of who runs the tests."""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from typer.testing import CliRunner, Result

from homefeed.cli.main import cli


def run(home: Path, *args: str, answer: str | None = None, **settings: str) -> Result:
    """How a command ended; `settings` are variables of its environment."""
    before = structlog.get_config()
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    try:
        env = foreign | {"HOMEFEED_HOME": str(home), **settings}
        return CliRunner().invoke(cli, args, input=answer, env=env)
    finally:
        structlog.configure(**before)


def done(home: Path, *args: str, **settings: str) -> str:
    """What a command printed that ended well."""
    result = run(home, *args, **settings)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout
