"""What every route does with a feed's answer: count what failed, log what is shown, write it as JSON, explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import orjson
from fastapi import Response

from homefeed.api.context import Context
from homefeed.api.schemas import Explanation
from homefeed.serving import Answer, FeedRequest, LiveApp


def record_impression(context: Context, app: LiveApp, answer: Answer, request_id: str) -> None:
    """Take note of an answer; the log is written beside the requests."""
    name = app.recipe.app
    for part in answer.slate.failed:
        context.metrics.failures.labels(name, answer.slate.feed, part).inc()
    if context.logs_impressions and len(answer.slate):
        app.impressions.add(answer.impression(request_id))


def json_response(content: Mapping[str, Any]) -> Response:
    """A response of JSON; what is JSON already is a Fragment."""
    return Response(orjson.dumps(content), media_type="application/json")


async def explain_item(app: LiveApp, request: FeedRequest, item_id: str, request_id: str) -> Explanation:
    """The whole trace of one item in the answer to a request."""
    trace = await app.explain(request, item_id)
    return Explanation(
        **{field.name: getattr(trace, field.name) for field in fields(trace)},
        app=app.recipe.app,
        user_id=request.user_id,
        item_id=item_id,
        request_id=request_id,
        models=app.model_versions,
    )
