"""A FastAPI route that does nothing: the most that one process could serve. Run by `load`, with uvicorn."""

from __future__ import annotations

import orjson
from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/page")
async def page(user_id: str, k: int = 10) -> Response:
    """A page of fixed items, with the parameters and the encoding of a real one."""
    items = [{"item_id": f"i{number}", "score": 1.0, "reasons": ["popular"]} for number in range(k)]
    return Response(orjson.dumps({"user_id": user_id, "items": items}), media_type="application/json")
