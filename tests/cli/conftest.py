"""Homes that the commands act on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from homefeed.cli import common


@pytest.fixture(autouse=True)
def _own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has the width it asks for by COLUMNS: a console keeps the one it was made with."""
    for console in (common.out, common.err):
        monkeypatch.setattr(console, "_width", None)


@pytest.fixture
def home(tmp_path: Path, sample_home: Path) -> Path:
    """A copy of the sample's home, to change."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))
