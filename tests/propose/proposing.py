"""Proposals for small files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homefeed.propose import Proposal, propose, read_samples


def proposed(folder: Path, kinds: Any = None, **files: str) -> Proposal:
    """What is proposed for files of this content, `__` in their names for a dot."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    samples, _ = read_samples(folder)
    return propose("mine", samples, kinds)


def taken(proposal: Proposal, name: str) -> dict[str, str]:
    """What each column of a file is taken for."""
    return {each.column: each.taken_for for file in proposal.files if file.name == name for each in file.columns}
