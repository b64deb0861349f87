"""Comparing recordings of answers: what counts as a difference, and of which kind; the plan of the requests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving.comparison import Comparison, compare
from benchmarks.serving.plan import Sample, Step, make_plan
from benchmarks.serving.recording import Recording, items_of, normalised, read_recording, rounded, write_recording

STEPS = (
    Step("request", "shop: home", 0, path="/v1/apps/shop/feeds/home", params=(("user_id", "u1"),)),
    Step("write", "shop: home", 0, "POST", "/v1/apps/shop/events", body={"item_id": "<item>"}, of=0),
    Step("follow", "follow", 61),
    Step("request", "shop: explanations", 61, path="/v1/apps/shop/explain"),
)


def page(*items: tuple[str, float, str], more: bool = True) -> dict[str, Any]:
    rows = [{"item_id": item, "score": score, "reason": why, "sources": ["popular"]} for item, score, why in items]
    return {"status": 200, "body": {"cold_start": False, "next_cursor": more, "items": rows}}


def explanation(verdict: str = "Shown at place 1", **parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": 200, "body": {"item_id": "a", "verdict": verdict, "score": 0.5, **parts}}


PAGE = page(("a", 0.51234, "New"), ("b", 0.4, "Popular"))
PASSED = [{"name": "seen", "passed": True}, {"name": "quality", "passed": False}]
WHY = explanation(filters=PASSED)


def recording(first: dict[str, Any] = PAGE, last: dict[str, Any] = WHY) -> Recording:
    accepted = {"status": 200, "body": {"accepted": 1}}
    return Recording(STEPS, [first, accepted, {"status": 0, "body": None}, last])


def kinds(compared: Comparison) -> list[str]:
    return [one.kind for found in compared.differences.values() for one in found]


def test_equal_recordings_differ_in_nothing() -> None:
    summary = compare(recording(), recording()).summary()
    assert (summary["compared"], summary["requests"], summary["writes"]) == (3, 2, 1)
    assert (summary["equal"], summary["different"], summary["different_by"]) == (3, 0, {})


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (page(("b", 0.4, "Popular"), ("a", 0.51234, "New")), "order"),
        (page(("a", 0.51234, "New")), "order"),
        (page(("a", 0.51234, "Fresh"), ("b", 0.4, "Popular")), "reason"),
        (page(("a", 0.51255, "New"), ("b", 0.4, "Popular")), "score"),
        (page(("a", 0.51234, "New"), ("b", 0.4, "Popular"), more=False), "other"),
        ({"status": 500, "body": None}, "status"),
    ],
)
def test_a_difference_has_its_kind(after: dict[str, Any], kind: str) -> None:
    compared = compare(recording(), recording(after))
    assert kinds(compared) == [kind]
    assert compared.different == [0]
    assert compared.summary()["different_by"] == {kind: 1}
    assert compared.summary()["different_in"] == {"shop: home": 1}


def test_an_order_is_shown_from_the_first_item_that_differs() -> None:
    after = page(("a", 0.51234, "New"), ("c", 0.4, "Popular"))
    (found,) = compare(recording(), recording(after)).differences[0]
    assert (found.where, found.before, found.after) == ("items[1]", ["b"], ["c"])
    (found,) = compare(recording(), recording(page(("a", 0.51234, "New")))).differences[0]
    assert (found.where, found.before, found.after) == ("items[1]", ["b"], [])


def test_the_last_digit_of_a_score_is_counted_but_is_no_difference() -> None:
    compared = compare(recording(), recording(page(("a", 0.51235, "New"), ("b", 0.4, "Popular"))))
    assert kinds(compared) == ["last_digits"]
    assert compared.different == []
    summary = compared.summary()
    assert (summary["equal"], summary["equal_but_last_digits"], summary["different"]) == (2, 1, 0)


def test_a_last_digit_does_not_hide_another_difference() -> None:
    compared = compare(recording(), recording(page(("a", 0.51235, "New"), ("b", 0.4, "Liked"))))
    assert sorted(kinds(compared)) == ["last_digits", "reason"]
    assert compared.different == [0]


def test_filters_of_an_explanation_are_compared_by_name() -> None:
    assert compare(recording(), recording(last=explanation(filters=PASSED[::-1]))).different == []
    passed = [{"name": "seen", "passed": False}, PASSED[1]]
    assert kinds(compare(recording(), recording(last=explanation(filters=passed)))) == ["explanation"]
    assert kinds(compare(recording(), recording(last=explanation(filters=PASSED[:1])))) == ["explanation"]
    assert kinds(compare(recording(), recording(last=explanation("Not shown", filters=PASSED)))) == ["explanation"]


def test_renamed_fields_and_words_are_the_same() -> None:
    before = recording(last=explanation("Not shown: stopped by old_name", gates=PASSED))
    after = recording(last=explanation("Not shown: stopped by new_name", filters=PASSED))
    assert kinds(compare(before, after)) == ["explanation", "explanation"]
    assert compare(before, after).new_fields == {"filters"}
    assert kinds(compare(before, after, {"gates": "filters", "old_name": "new_name"})) == []
    assert kinds(compare(before, after, {"gates": "filters", "old": "new"})) == ["explanation"]


def test_a_field_that_only_the_later_answers_have_is_listed() -> None:
    compared = compare(recording(), recording(last=explanation(filters=PASSED, timings=[])))
    assert compared.different == []
    assert compared.summary()["new_fields"] == ["timings"]


def test_what_may_differ_is_not_recorded() -> None:
    body = {
        "request_id": "r1",
        "next_cursor": "abc",
        "items": [{"item_id": "a", "score": 0.123456, "attributes": {"x": 1, "y": 2}}],
    }
    other = {
        "request_id": "r2",
        "next_cursor": "xyz",
        "items": [{"item_id": "a", "score": 0.123459, "attributes": {"y": 2, "x": 1}}],
    }
    assert normalised(body) == normalised(other)
    assert normalised(body) != normalised({**other, "next_cursor": None})
    assert normalised({"attributes": {"x": 1}}) != normalised({"attributes": {"x": 2}})
    assert rounded(123456.7) == 123460.0


def test_the_items_of_every_list_are_found_in_order() -> None:
    body = {"personalized": [], "trending": [{"id": "p2"}, {"id": "p1"}], "top": {"Toys": [{"id": "p3"}]}}
    assert items_of(body) == ["p2", "p1", "p3"]


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_recording(recording(), tmp_path / "a.json.gz")
    write_recording(recording(), tmp_path / "b.json.gz")
    assert read_recording(tmp_path / "a.json.gz") == Recording(list(STEPS), recording().answers)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def test_a_plan_has_as_many_requests_as_wanted_spread_over_the_apps() -> None:
    users = {f"u{n}": {"user_id": f"u{n}", "community_id": "riverside"} for n in range(30)}
    sample = Sample(users, list(users)[:20], [f"i{n}" for n in range(40)], ["kettle", "tent"])
    samples = dict.fromkeys(("community", "streaming", "shop"), sample)
    steps = make_plan(samples, requests=500, seed=3)
    assert steps == make_plan(samples, requests=500, seed=3)
    assert steps != make_plan(samples, requests=500, seed=4)
    requests = [step for step in steps if step.kind == "request"]
    assert Counter(step.group.split(":")[0] for step in requests) == {
        "community": 167,
        "streaming": 167,
        "shop": 166,
    }
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert all(step.of is None or step.of < index for index, step in enumerate(steps))
    assert {step.kind for step in steps} == {"request", "write", "follow"}
