"""Short forms of the trials of `torture`, whose long ones `make torture` runs: docs/reliability.md."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.redis_server import redis_is_installed, running_redis

from homefeed.apps import find_recipe
from homefeed.serving.models import kinds_of
from homefeed.store.artifacts import ArtifactStore
from torture import damage, disk, hostile, kill, network, replicas, retries
from torture.sample import APP, fill
from torture.servers import nginx, serving
from torture.servers import replicas as start_replicas

if TYPE_CHECKING:
    from tests.conftest import FillSample

needs_redis = pytest.mark.skipif(not redis_is_installed(), reason="apt-get install redis-server")
on_postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.mark.slow
@needs_redis
@pytest.mark.skipif(nginx() is None, reason="apt-get install nginx-light")
@on_postgresql
def test_a_replica_that_is_killed_or_restarted_fails_no_request_through_nginx(
    store_url: str, tmp_path: Path
) -> None:
    fill(store_url, tmp_path, trained=False)
    with running_redis() as redis, start_replicas(tmp_path, store_url, redis.url, 2) as servers:
        fresh = replicas.freshness(servers, 4)
        assert fresh["event"]["max_seconds"] < 5
        assert replicas.pages(servers, 2, length=3)["repeated"] == 0
        found = replicas.disturbed(servers, tmp_path, store_url, seconds=1, kills=1, restarts=1)
    for what in found.values():
        assert what["answered"] > 50
        assert (what["failed"], what["lost"], what["doubled"]) == ({}, 0, 0)


@pytest.mark.slow
def test_no_acknowledged_event_is_lost_and_none_is_doubled(store_url: str, tmp_path: Path) -> None:
    found = kill.trial(store_url, tmp_path, kills=6, events=6_000)
    assert found["requests_interrupted"] >= 6, "no request was under way when the server was killed"
    assert found["acknowledged"] == 6_000
    wrong = ("lost", "doubled", "never_told", "torn", "miscounted")
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)


@pytest.mark.slow
@needs_redis
def test_a_stalled_network_leaves_reads_of_users_in_memory_and_honest_writes(tmp_path: Path) -> None:
    troubles = dict(network.trial(tmp_path, 0.7, redis=True, trained=False))
    assert len(troubles) == 6
    for name, found in troubles.items():
        assert found["lost"] == 0, name
        for kind in ("known", "new", "event"):
            assert found[kind]["late"] == 0, (name, kind, found)
            assert set(found[kind]["answers"]) <= {"200", "503"}, (name, kind, found)
        assert set(found["known"]["answers"]) == {"200"}, (name, found)
    for name in ("postgresql stalled", "postgresql cut"):
        assert troubles[name]["known"]["marked"] > 0
        assert troubles[name]["event"]["answers"].keys() == {"503"}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_acknowledges_nothing_that_is_not_there(tmp_path: Path) -> None:
    found = disk.trial(tmp_path, rounds=1, trained=False)
    assert found["lists answered 503"] >= 20
    assert found["acknowledged"] > 0
    assert (found["lost"], found["doubled"]) == (0, 0)
    assert [name for name in found if name.startswith("reads") and name != "reads answered 200"] == []


@pytest.mark.slow
@on_postgresql
def test_retries_count_once_and_hostile_ids_come_back(store_url: str, tmp_path: Path) -> None:
    keys = 40
    asyncio.run(kill.put_some_items(store_url))
    with serving(tmp_path, store_url) as server:
        found = asyncio.run(retries.send_all(server.port, keys))
        rng = random.Random(13)
        ids = hostile.texts(250, rng)
        returned = asyncio.run(hostile.round_trip(server.port, ids, rng))
        assert server.json("/v1/apps/streaming/stats")["events"] == keys + sum(map(hostile.may_be, ids))
    assert found == {"sent: 200": keys * retries.RETRIES, "accepted once": keys, "another body: 409": keys}
    right = {"ids", "refused", "read by path"}
    assert {name: times for name, times in returned.items() if times and name not in right} == {}


@pytest.fixture
def trained_home(store_url: str, fill_sample: FillSample, tmp_path: Path) -> Path:
    fill_sample(store_url, tmp_path)
    return tmp_path


@on_sqlite
@pytest.mark.parametrize("kind", damage.KINDS)
def test_damaged_models_are_refused(trained_home: Path, kind: str) -> None:
    rng, artifacts = random.Random(3), ArtifactStore(trained_home / "models")
    recipe = find_recipe(APP)
    for number, (model, (part, made)) in enumerate(sorted(kinds_of(recipe).items())):
        good = artifacts.current(APP, model)
        if good is None:
            continue
        name = f"29991231T{number:012d}-torture"
        damage.damaged_copy(trained_home / "models" / APP / model, good, name, kind, rng)
        artifacts.choose(APP, model, name)
        loaded = artifacts.load(APP, model, made, part)
        assert loaded is not None
        assert loaded.manifest.version == good
        assert set(loaded.refused) == {name}
