"""Events beside pages: what is sent, and when."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import pytest

from benchmarks.serving.acknowledgements import event_of, interleaved, steadily
from benchmarks.serving.http_load import get
from benchmarks.serving.pages import PAGES
from homefeed.api.schemas import EventIn
from homefeed.apps import find_recipe


@pytest.mark.parametrize("app", ["streaming", "shop", "community"])
def test_an_event_is_one_of_its_app(app: str) -> None:
    request = event_of(app, "u1", "i1")
    head, body = request.data.split(b"\r\n\r\n")
    assert head.startswith(f"POST /v1/apps/{app}/events HTTP/1.1".encode())
    event = EventIn.model_validate(orjson.loads(body))
    assert (request.name, event.user_id, event.item_id) == ("event", "u1", "i1")
    assert event.event_type in find_recipe(app).events


def test_pages_and_events_take_turns(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id,age\nu1,3\nu2,4\n")
    (tmp_path / "items.csv").write_text("item_id,title\n007,A\n8,B\n")
    sent = list(islice(interleaved(PAGES["streaming"], tmp_path, 2, np.random.default_rng(0)), 9))
    assert [request.name for request in sent] == ["page", "event", "event"] * 3
    assert {request.data for request in sent[::6]} == {sent[0].data}  # both users, then the first again
    items = {
        orjson.loads(request.data.split(b"\r\n\r\n")[1])["item_id"] for request in sent if request.name == "event"
    }
    assert items <= {"007", "8"}


def test_requests_are_due_at_a_constant_rate() -> None:
    due = list(steadily(iter([get(f"/{n}") for n in range(99)]), per_second=4, seconds=2))
    assert [at for at, _ in due] == [n / 4 for n in range(8)]
    assert [request.data.split()[1] for _, request in due] == [f"/{n}".encode() for n in range(8)]
