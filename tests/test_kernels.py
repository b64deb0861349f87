"""Compiled loops: for their signature alone, from the first call on or before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from homefeed import kernels
from homefeed.kernels import BOOL, F32, I64, compiled, kernel, reads, several, warm_up, writes
from homefeed.types import Floats, Mask


@compiled
def _double(value: float) -> float:
    return 2 * value


@kernel(writes(F32), reads(F32), reads(BOOL))
def doubled(values: Floats, chosen: Mask) -> Floats:
    """Chosen values, doubled."""
    found = np.empty(len(values), np.float32)
    count = 0
    for row in range(len(values)):
        if chosen[row]:
            found[count] = _double(values[row])
            count += 1
    return found[:count]


@kernel(several(I64, F32), reads(F32))
def counted(values: Floats) -> tuple[int, float]:
    """How many there are, and the last."""
    return len(values), values[-1]


VALUES = np.array([1, 2, 3], np.float32)
CHOSEN = np.array([True, False, True])


def test_a_kernel_computes_what_its_function_does() -> None:
    assert doubled(VALUES, CHOSEN).tolist() == [2, 6]
    assert counted(VALUES) == (3, 3.0)
    assert doubled.__doc__ == "Chosen values, doubled."


def test_arrays_that_cannot_be_written_are_read_by_the_same_code() -> None:
    fixed = VALUES.copy()
    fixed.flags.writeable = False
    assert doubled(fixed, CHOSEN).tolist() == [2, 6]


@pytest.mark.parametrize("values", [np.array([1.0, 2.0, 3.0]), VALUES[::-1], VALUES.reshape(1, 3)])
def test_arrays_of_another_type_are_refused(values: Floats) -> None:
    with pytest.raises(TypeError, match="No matching definition"):
        doubled(values, CHOSEN)


def test_warming_up_compiles_what_no_call_has_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_KERNELS", [])

    @kernel(I64, reads(F32))
    def length(values: Floats) -> int:
        return len(values)

    compiled_before = length._call  # type: ignore[attr-defined]
    warm_up()
    assert length._call != compiled_before  # type: ignore[attr-defined]
    warmed = length._call  # type: ignore[attr-defined]
    assert length(VALUES) == 3
    warm_up()
    assert length._call is warmed  # type: ignore[attr-defined]


def test_without_a_place_to_keep_it_the_code_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit_without_cache(cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(kernels, "njit", njit_without_cache)

    def plain(value: int) -> int:
        return value + 1

    assert compiled(plain)(2) == 3


HELPER = """
from homefeed.kernels import compiled

FACTOR = {factor}

@compiled
def scaled(value):
    return {sign}value * FACTOR
"""
USER = """
from homefeed.kernels import F64, I64, kernel
from helper import FACTOR, scaled

@kernel(F64, F64)
def computed(value):
    return scaled(value) + 100 * FACTOR

print(computed(1.0))
"""


def test_code_kept_on_disk_is_not_used_once_what_it_uses_has_changed(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "user.py"]
    for factor, sign in ((2, ""), (3, ""), (3, "-"), (2, "")):
        (tmp_path / "helper.py").write_text(HELPER.format(factor=factor, sign=sign))
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert float(done.stdout) == (-factor if sign else factor) + 100 * factor
