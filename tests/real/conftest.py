"""The benchmarks are a package at the root of the repository: it is made importable, behind everything else."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
