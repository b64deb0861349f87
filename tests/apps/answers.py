"""What tests of contracts ask of an answer."""

from __future__ import annotations

from typing import Any

import httpx
import orjson


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """What it says, of that status."""
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    """See that it is an error of that status whose words include these."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = orjson.dumps(answer.json()).decode()
    for each in words:
        assert each in told
