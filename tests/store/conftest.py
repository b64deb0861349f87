"""Two stores at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import NewStore


@pytest.fixture
def other_url(store_url: str, tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    """The URL of an empty store on the other of the two databases."""
    folder = tmp_path / "other"
    folder.mkdir()
    with new_store("postgresql" if store_url.startswith("sqlite") else "sqlite", folder) as url:
        yield url
