"""Homes that the commands act on."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as patched:
    # A console that is made where COLUMNS is set keeps that width; each test is to have its own.
    patched.delenv("COLUMNS", raising=False)
    import_module("homefeed.cli.common")


@pytest.fixture
def home(tmp_path: Path, sample_home: Path) -> Path:
    """A copy of the sample's home, to change."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))
