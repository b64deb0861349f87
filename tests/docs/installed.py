"""In place of `pip install -e .`: prints what makes bash see the package of this folder as installed."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
name, version = project["name"], project["version"]
site = Path(".installed").resolve()
info = site / f"{name.replace('-', '_')}-{version}.dist-info"
info.mkdir(parents=True)
(info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
groups = [
    "\n".join([f"[{group}]", *(f"{part} = {where}" for part, where in entries.items())])
    for group, entries in project["entry-points"].items()
]
(info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
print(f"export PYTHONPATH='{site}:{Path('src').resolve()}'")
