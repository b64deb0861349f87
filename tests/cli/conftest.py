"""Homes that the commands act on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, sample_home: Path) -> Path:
    """A copy of the sample's home, to change."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))
