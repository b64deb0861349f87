"""The script for web pages, as it is served."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from homefeed.server import create_app
from homefeed.settings import Settings

MOST_LINES = 260


async def test_it_is_served_as_a_script_and_as_a_module(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, apps=("streaming",)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        script, module = [await client.get(f"/v1/homefeed.{ending}") for ending in ("js", "mjs")]
        for answer in (script, module):
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["cache-control"] == "public, max-age=3600"
            assert re.fullmatch(r'"[0-9a-f]{24}"', answer.headers["etag"])
            again = await client.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert script.headers["etag"] != module.headers["etag"]
        assert module.text == script.text + "export const Homefeed = globalThis.Homefeed;\n"
        # A classic script knows no export, and what it declares outside of a block is the page's.
        assert not re.search(r"^(export|import|const|let|class|function) ", script.text, re.MULTILINE)
        assert len(script.text.splitlines()) < MOST_LINES
