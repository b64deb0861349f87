"""New models go live while requests go on; a damaged one is refused and the one before keeps serving."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

if TYPE_CHECKING:
    from tests.conftest import FillSample, StartServer

Eventually = Callable[[Callable[[], bool]], None]


def train(store_url: str, home: Path) -> dict[str, str]:
    """Train and publish; answers the versions made."""

    async def run() -> dict[str, str]:
        async with open_store(store_url) as store:
            artifacts = ArtifactStore(home / "models")
            trained = await train_app(find_recipe("streaming"), store, artifacts, Environment())
        return {manifest.model: manifest.version for manifest in trained.manifests}

    return asyncio.run(run())


def versions(client: httpx.Client) -> dict[str, str]:
    found: dict[str, str] = client.get("/readyz").json()["apps"]["streaming"]["models"]
    return found


@dataclass
class Traffic:
    """Requests that go on and on, and what became of them."""

    url: str
    answered: int = 0
    told: int = 0
    failed: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        """One connection's requests: ask, tell of a play, see that the next answer knows of it."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            turn = 0
            while not self.stopping.is_set():
                turn += 1
                user_id = f"traffic-{number}-{turn}"
                item_id = f"i{turn % 100 + 1}"
                play = {"user_id": user_id, "item_id": item_id, "watch_seconds": 1800}
                try:
                    told = client.post("/events", json=play)
                    asked = client.get("/recommendations", params={"user_id": user_id, "k": 20})
                    similar = client.get("/v1/apps/streaming/feeds/similar", params={"item_id": item_id})
                    answers = asked.json()
                    if {told.status_code, asked.status_code, similar.status_code} != {200}:
                        self.failed.append(f"{told.text} {asked.text} {similar.text}"[:500])
                    elif answers["fallback_used"] or len(answers["items"]) != 20:
                        self.failed.append(f"{user_id} is not known: {answers}"[:500])
                except (httpx.HTTPError, ValueError) as error:
                    self.failed.append(repr(error))
                self.answered += 3
                self.told += 1


@contextmanager
def traffic(url: str, connections: int = 3) -> Iterator[Traffic]:
    going = Traffic(url)
    threads = [threading.Thread(target=going.run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield going
    finally:
        going.stopping.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_new_models_go_live_and_no_request_is_lost(
    store_url: str, start_server: StartServer, fill_sample: FillSample, tmp_path: Path, eventually: Eventually
) -> None:
    fill_sample(store_url, tmp_path)
    with (
        start_server(store_url, tmp_path, poll_seconds="0.05") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        seen = [versions(client)]
        assert seen[0].keys() == {"signals", "exposures", "item_item", "sequence", "content", "blend"}
        with traffic(server.url) as going:
            for _ in range(2):
                seen.append(seen[-1] | train(store_url, tmp_path))
                eventually(lambda: versions(client) == seen[-1])
        assert going.failed == []
        assert going.answered > 30
        for model in seen[0]:
            assert len({one[model] for one in seen}) == (1 if model == "blend" else 3), "a blend holds for a week"
        stats = client.get("/v1/apps/streaming/stats").json()
        assert stats["events"] == 3_000 + going.told
        assert stats["models"] == seen[-1]
        assert "homefeed_model_reloads_total" in client.get("/metrics").text
        assert "Traceback" not in server.log.read_text()


def damage(home: Path, model: str, version: str) -> str:
    """Publish a copy of a version in which one byte of one file is another; answers what it is called."""
    name = f"29991231T000000000000-{model}"
    folder = home / "models" / "streaming" / model
    shutil.copytree(folder / version, folder / name)
    victim = next(path for path in sorted((folder / name).iterdir()) if path.name != "manifest.json")
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.chmod(0o600)  # what is published is read only
    victim.write_bytes(content)
    ArtifactStore(home / "models").choose("streaming", model, name)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_damaged_model_is_refused_and_the_one_before_keeps_serving(
    store_url: str, start_server: StartServer, fill_sample: FillSample, tmp_path: Path, eventually: Eventually
) -> None:
    fill_sample(store_url, tmp_path)
    with (
        start_server(store_url, tmp_path, poll_seconds="0.05") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        good = versions(client)
        before = client.get("/recommendations", params={"user_id": "u1"}).json()["items"]
        refusals: list[str] = []
        with traffic(server.url, 1) as going:
            for model in good:
                refusals.append(damage(tmp_path, model, good[model]))
                eventually(lambda: refusals[-1] in server.log.read_text())
                assert versions(client) == good
        assert going.failed == []
        again = client.get("/recommendations", params={"user_id": "u1"}).json()["items"]
        assert {title["item_id"] for title in again} & {title["item_id"] for title in before}
        server.kill()
    with (
        start_server(store_url, tmp_path, poll_seconds="0.05") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        assert versions(client) == good
        made = train(store_url, tmp_path)
        eventually(lambda: versions(client) == made)
        assert client.get("/recommendations", params={"user_id": "u1"}).json()["fallback_used"] is False
