"""The histogram of stages: every request counts once in each of its stages, whenever it is summed up."""

from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from homefeed.api.stages import StageSeconds


def value(registry: CollectorRegistry, name: str, app: str = "films", feed: str = "home", **labels: str) -> float:
    found = registry.get_sample_value(f"homefeed_stage_seconds_{name}", {"app": app, "feed": feed, **labels})
    return -1.0 if found is None else found


def filled(*requests: tuple[str, dict[str, float]]) -> CollectorRegistry:
    registry = CollectorRegistry()
    stages = StageSeconds(registry)
    for feed, seconds in requests:
        stages.add("films", feed, seconds)
    return registry


@pytest.mark.parametrize("requests", [1, 63, 64, 65, 200])
def test_every_request_counts_once(requests: int) -> None:
    registry = filled(*[("home", {"rank": 0.002, "retrieve.popular": 0.0002})] * requests)
    for _ in range(2):
        assert value(registry, "count", stage="rank") == requests
        assert value(registry, "sum", stage="rank") == pytest.approx(0.002 * requests)
        assert value(registry, "sum", stage="retrieve.popular") == pytest.approx(0.0002 * requests)


def test_a_bucket_holds_all_that_took_at_most_as_long() -> None:
    registry = filled(*(("home", {"rank": seconds}) for seconds in (0.0, 0.0001, 0.00011, 0.001, 0.5)))
    counts = {le: value(registry, "bucket", stage="rank", le=le) for le in ("0.0001", "0.00025", "0.001", "0.1")}
    assert counts == {"0.0001": 2, "0.00025": 3, "0.001": 4, "0.1": 4}
    assert value(registry, "bucket", stage="rank", le="+Inf") == value(registry, "count", stage="rank") == 5


def test_requests_of_other_stages_and_feeds_are_summed_up_by_stage() -> None:
    registry = filled(
        ("home", {"rank": 0.001, "reasons": 0.002}),
        ("home", {"reasons": 0.003}),
        ("home", {"reasons": 0.004, "rank": 0.005}),
        ("new", {"rank": 0.007}),
    )
    assert value(registry, "sum", stage="rank") == pytest.approx(0.006)
    assert value(registry, "sum", stage="reasons") == pytest.approx(0.009)
    assert (value(registry, "count", stage="rank"), value(registry, "count", stage="reasons")) == (2, 3)
    assert value(registry, "sum", feed="new", stage="rank") == pytest.approx(0.007)
    assert value(registry, "count", feed="new", stage="reasons") == -1


def test_prometheus_can_read_it_before_and_after_the_first_request() -> None:
    registry = CollectorRegistry()
    stages = StageSeconds(registry)
    assert b"# TYPE homefeed_stage_seconds histogram" in generate_latest(registry)
    stages.add("films", "home", {"rank": 0.0002})
    text = generate_latest(registry).decode()
    assert re.search(r'^homefeed_stage_seconds_bucket\{.*le="0.00025".*\} 1.0$', text, re.MULTILINE)


def test_its_name_is_taken() -> None:
    registry = CollectorRegistry()
    StageSeconds(registry)
    with pytest.raises(ValueError, match="homefeed_stage_seconds"):
        StageSeconds(registry)
