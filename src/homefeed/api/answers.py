"""What every route does with a feed's answer before it goes out: count what failed, log what is shown, explain."""

from __future__ import annotations

from dataclasses import asdict

from homefeed.api.context import Context
from homefeed.api.schemas import ExplainOut
from homefeed.serving import Answer, FeedRequest, LiveApp


def record_impression(context: Context, app: LiveApp, answer: Answer, request_id: str) -> None:
    """Take note of an answer; the log is written beside the requests."""
    name = app.recipe.app
    for part in answer.slate.failed:
        context.metrics.failures.labels(name, answer.slate.feed, part).inc()
    if context.logs_impressions and len(answer.slate):
        app.impressions.add(answer.impression(request_id))


async def explained(app: LiveApp, asked: FeedRequest, item_id: str, request_id: str) -> ExplainOut:
    """The whole trace of one item in the answer to a request."""
    trace = await app.explain(asked, item_id)
    return ExplainOut(
        app=app.recipe.app,
        user_id=asked.user_id,
        item_id=item_id,
        request_id=request_id,
        models=app.model_versions,
        **asdict(trace),
    )
