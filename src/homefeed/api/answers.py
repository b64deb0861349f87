"""What every route does with a feed's answer: measure it, log what is shown, write it as JSON, explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Final

import orjson
from fastapi import Response

from homefeed.api.context import Context
from homefeed.api.metrics import ANSWERED
from homefeed.api.schemas import Explanation
from homefeed.serving import Answer, FeedRequest, LiveApp

CANDIDATES_HEADER: Final = "X-Homefeed-Candidates"
DEGRADED_HEADER: Final = "X-Homefeed-Degraded"


def record_impressions(context: Context, app: LiveApp, answers: Sequence[Answer], request_id: str) -> None:
    """Take note of the answers to a request; the log is written beside the requests."""
    name, metrics = app.recipe.app, context.metrics
    if (noted := ANSWERED.get()) is not None:
        noted += [(name, answer.slate.feed) for answer in answers]
    # Feeds that are answered together share one measurement: it counts as that of the first. It counts once.
    made = [answer.slate for answer in reversed(answers) if not answer.reused]
    for slate in {id(slate.seconds): slate for slate in made}.values():
        if slate.seconds:
            metrics.stages.add(name, slate.made_by, slate.seconds)
    for answer in answers:
        for part in answer.slate.failed:
            metrics.failures.labels(name, answer.slate.feed, part).inc()
        if not answer.reused and len(answer.slate):
            metrics.pages.add(app.recipe, answer.slate)
            metrics.first_shown.add(name, answer.catalog, answer.slate.positions, answer.time)
            metrics.scores.add(name, answer.slate.feed, answer.slate.scores)
        if (kms := answer.distances_km) is not None:
            metrics.distances.add(name, answer.slate.feed, kms)
        metrics.values.add(name, answer.slate.feed, answer.catalog, app.varied, answer.slate.positions)
        if context.logs_impressions and len(answer.slate):
            app.impressions.add(request_id, answer.user, partial(answer.impression, request_id))


def all_seen(answer: Answer) -> dict[str, bool]:
    """What an answer says besides where the user has seen all that there is for them."""
    return {"all_seen": True} if answer.slate.all_seen else {}


def json_response(content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A response of JSON; what is JSON already is a Fragment."""
    return Response(orjson.dumps(content), media_type="application/json", headers=headers)


def feed_headers(app: LiveApp, answer: Answer) -> dict[str, str]:
    """What an answer says of itself: that others proposed its candidates than the recipe means to, and why; that
    the store is in trouble, so that it may not know what was told last.
    """
    degraded = {} if app.store.health.ok else {DEGRADED_HEADER: "the store is in trouble"}
    stand_ins = app.feeds[answer.slate.made_by].stand_ins
    # What may stand in a header: a reason may be of a file's name, or of several lines.
    told = " ".join(", ".join(stand_ins).split()).encode("ascii", "replace").decode()
    return {CANDIDATES_HEADER: told} | degraded if told else degraded


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
        text_models=app.text_models,
    )
