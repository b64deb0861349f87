"""The garbage collector waits, and works again afterwards."""

from __future__ import annotations

import gc

import pytest

from homefeed.collector import without_collector


def test_the_collector_waits_and_works_again() -> None:
    assert gc.isenabled()
    with without_collector():
        assert not gc.isenabled()
        with without_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_works_again_after_an_error() -> None:
    with pytest.raises(OSError, match="lost"), without_collector():
        raise OSError("lost")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_so() -> None:
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
