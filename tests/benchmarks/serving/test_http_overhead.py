"""What HTTP adds to a page: the requests are real ones, and the feeds' answers are made once."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from benchmarks.serving.bare import app
from benchmarks.serving.http_overhead import Given, microseconds, request
from homefeed.serving import FeedRequest


class Live:
    """Counts how often it was to answer."""

    def __init__(self) -> None:
        self.calls = 0
        self.catalog = "the catalogue"

    async def recommend(self, request: FeedRequest) -> str:
        self.calls += 1
        return f"{request.feed} of {request.user_id}"

    async def recommend_together(self, requests: Sequence[FeedRequest]) -> list[str]:
        self.calls += 1
        return [request.feed for request in requests]


async def test_a_request_is_answered_as_over_a_connection() -> None:
    status, body = await request(app, "/page?user_id=u%207&k=2")
    assert status == 200
    assert orjson.loads(body)["user_id"] == "u 7"
    assert len(orjson.loads(body)["items"]) == 2
    assert (await request(app, "/page?k=2"))[0] == 422
    assert (await request(app, "/nowhere"))[0] == 404


async def test_a_request_takes_some_time() -> None:
    assert 1 < await microseconds(app, "/page?user_id=u7") < 1e6


async def test_an_answer_is_made_once_for_each_request() -> None:
    live = Live()
    given = Given(live)
    for _ in range(3):
        assert await given.recommend(FeedRequest("home", "u1")) == "home of u1"
        assert await given.recommend(FeedRequest("home", "u2")) == "home of u2"
        assert await given.recommend_together([FeedRequest("home"), FeedRequest("new")]) == ["home", "new"]
    assert (live.calls, given.catalog) == (3, "the catalogue")
