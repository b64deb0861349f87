"""What an app takes, by coefficients of round numbers, and that those of the code are near what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.sizing import COEFFICIENTS, Coefficient, Coefficients, Wanted, coefficient_rows, page_ms, size_of


def of(value: float) -> Coefficient:
    return Coefficient(value, "", "", "")


ROUND = Coefficients(
    server=of(100),
    item_own=of(500),
    item_mapped=of(1_000),
    users_in_memory=of(32),
    event_on_disk=of(400),
    item_on_disk=of(1_000),
    user_on_disk=of(100),
    model_versions=of(3),
    import_rate=of(100_000),
    train_base_memory=of(500),
    train_memory=of(1),
    train_memory_power=of(0.5),
    train_base_seconds=of(40),
    train_seconds=of(0.001),
    train_seconds_power=of(1),
    spark_work=of(3),
    page=of(1),
    page_decade=of(1),
    busy=of(0.5),
)


def test_by_hand() -> None:
    found = size_of(Wanted(items=1_000_000, users=10_000, events=4_000_000, rps=1_000), ROUND)
    # A page of a million items takes 1 + 2 ms: 3 cores' work, on half of each.
    assert found.replicas == 6
    assert found.server_mb == 100 + 32 + 500 + 1_000
    assert found.host_mb == 6 * 632 + 1_000
    assert found.store_mb == 1_600 + 1_000 + 1
    assert found.models_mb == 3_000
    assert found.import_seconds == 40
    assert found.train_mb == 500 + 2_000
    assert found.train_seconds == 40 + 4_000
    assert found.spark_seconds == 3 * 4_040
    assert found.engine == "local"
    assert found.why == "one machine takes 2.5 GB and 1.1 h, within 16 GB and 6 h"


@pytest.mark.parametrize(
    ("train_gb", "train_hours", "engine"), [(3, 2, "local"), (2, 2, "spark"), (3, 1, "spark")]
)
def test_what_one_machine_cannot_hold_goes_to_spark(train_gb: float, train_hours: float, engine: str) -> None:
    wanted = Wanted(10, 10, 4_000_000, 1, train_gb, train_hours)
    assert size_of(wanted, ROUND).engine == engine


def test_nothing_is_one_process() -> None:
    found = size_of(Wanted(0, 0, 0, 0), ROUND)
    assert (found.replicas, found.server_mb, found.store_mb, found.train_seconds) == (1, 132, 0, 40)


@given(st.integers(0, 10**8), st.integers(0, 10**10), st.floats(0, 10**5))
def test_more_never_takes_less(items: int, events: int, rps: float) -> None:
    one = size_of(Wanted(items, 100, events, rps))
    more = size_of(Wanted(items * 2 + 1, 100, events * 2 + 1, rps * 2 + 1))
    assert more.replicas >= one.replicas
    assert more.host_mb > one.host_mb
    assert more.store_mb > one.store_mb
    assert more.train_seconds > one.train_seconds


# docs/performance.md: a page and a core.
@pytest.mark.parametrize(("items", "pages_a_second"), [(10_000, 982), (100_000, 548), (1_000_000, 380)])
def test_pages_are_within_a_tenth_of_what_was_measured(items: int, pages_a_second: float) -> None:
    assert 1_000 / page_ms(items) == pytest.approx(pages_a_second, rel=0.1)


# docs/performance.md and docs/operations.md: events, GB, processor seconds where they were measured.
@pytest.mark.parametrize(
    ("events", "mb", "seconds"), [(20_000, 1_074, 77), (200_000, 1_760, 179), (5_000_000, 5_900, 397)]
)
def test_training_is_near_what_was_measured(events: int, mb: float, seconds: float) -> None:
    found = size_of(Wanted(10_000, 1_000, events, 1))
    assert found.train_mb == pytest.approx(mb, rel=0.2)
    assert found.train_seconds == pytest.approx(seconds, rel=0.5)


def test_every_coefficient_counts() -> None:
    wanted = Wanted(1_000_000, 10_000, 4_000_000, 1_000)
    for name, each in coefficient_rows():
        changed = replace(COEFFICIENTS, **{name: replace(each, value=each.value * 1.5)})
        assert size_of(wanted, changed) != size_of(wanted), name
