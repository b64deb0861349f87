"""The trace of an item on a terminal: everything that a trace holds can be read there."""

import re
from dataclasses import replace

import pytest

from homefeed.cli.trace import print_trace
from homefeed.explain import FeatureTrace, FilterTrace, RerankerTrace, RetrieverTrace, Trace

TRACE = Trace(
    feed="home",
    made_by="home",
    cold_start=False,
    verdict="Shown at place 5",
    place=5,
    candidates=42,
    score=0.75,
    propensity=0.125,
    reason='Because you saved "Tea"',
    filters=(FilterTrace("availability", True, None), FilterTrace("quality", True, None)),
    retrievers=(RetrieverTrace("popular", None, None, 20), RetrieverTrace("explore", 0.125, 2, 4)),
    features=(
        FeatureTrace("recency", 0.5, 0.05),
        FeatureTrace("boost", -1.0, -0.3),
        FeatureTrace("popular", 1.0, 1.0),
    ),
    rerankers=(RerankerTrace("caps", 9, 9), RerankerTrace("explore", 9, 5), RerankerTrace("pins", 5, 5)),
    dropped_by=None,
    failed=("content: ValueError: no words",),
    seconds={
        "filter": 1e-5,
        "retrieve.popular": 2e-4,
        "rank": 5e-5,
        "retrieve.explore": 1e-4,
        "filter.quality": 1e-5,
    },
)
MODELS = {"signals": "20260101T000000-abc"}


def printed(capsys: pytest.CaptureFixture[str], trace: Trace, item: str = "i1", user: str = "u1") -> str:
    print_trace(trace, MODELS, user, item)
    return capsys.readouterr().out


def test_what_is_shown_is_explained_from_verdict_to_models(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, TRACE).splitlines()
    assert lines[:3] == [
        "Shown at place 5: item i1 for user u1",
        'Reason: Because you saved "Tea"',
        "Filters passed: availability, quality",
    ]
    assert lines[-6:] == [
        "Score 0.7500, place 5 of 42 candidates",
        "Reranker explore moved it from place 9 to place 5",
        "Chance put it there, with a probability of 0.1250",
        "Failed: content: ValueError: no words",
        "Took 0.37 ms: retrieve 0.30, rank 0.05, filter 0.02",
        "Models: signals 20260101T000000-abc",
    ]
    table = [line.split() for line in lines]
    assert ["popular", "20"] in table
    assert ["explore", "0.1250", "2", "4"] in table
    features = [row for row in table if len(row) == 3 and re.fullmatch(r"[+-]\d\.\d{4}", row[2])]
    assert features == [
        ["popular", "1.0000", "+1.0000"],
        ["boost", "-1.0000", "-0.3000"],
        ["recency", "0.5000", "+0.0500"],
    ]


def test_what_is_not_shown_is_explained_with_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    filters = (
        FilterTrace("availability", True, None),
        FilterTrace("quality", False, "quality 0.1 is below 0.3"),
        FilterTrace("seen", False, None),
    )
    trace = replace(
        TRACE,
        verdict="Not shown: stopped by quality (quality 0.1 is below 0.3) and seen",
        filters=filters,
        place=None,
        score=None,
        propensity=None,
        reason=None,
        features=(),
        rerankers=(RerankerTrace("caps", None, None),),
        failed=(),
    )
    lines = printed(capsys, trace).splitlines()
    assert lines[1:4] == [
        "Filter quality stopped it: quality 0.1 is below 0.3",
        "Filter seen stopped it",
        "Filters passed: availability",
    ]
    text = "\n".join(lines)
    assert not re.search("Reason|Score|Reranker|Chance|Failed|adds to", text)
    assert "Filters passed: none" in printed(capsys, replace(trace, filters=filters[1:]))


def test_what_a_reranker_took_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    out = replace(TRACE, rerankers=(RerankerTrace("diversity", 7, 7), RerankerTrace("caps", 7, None)))
    assert "Reranker caps moved it from place 7 out\n" in printed(capsys, out)


def test_what_chance_had_no_part_in_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Chance" not in printed(capsys, replace(TRACE, propensity=1.0))


def test_a_cold_start_says_which_feed_answered(capsys: pytest.CaptureFixture[str]) -> None:
    cold = replace(TRACE, cold_start=True, made_by="welcome")
    assert "The user has no usable history: made by the feed welcome\n" in printed(capsys, cold)


def test_no_id_and_no_reason_can_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "\x07\x9b2J\n"
    trace = replace(
        TRACE,
        reason=odd,
        verdict=odd,
        filters=(FilterTrace("quality", False, odd),),
        failed=(odd,),
    )
    text = printed(capsys, trace, odd, odd)
    assert "\x07" not in text
    assert "\x9b" not in text
