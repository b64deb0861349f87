"""train --engine spark: the models of an app, published as one machine's are, and served without Spark or Java."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from tests.cli.running import done, run
from tests.serve_command import serving
from tests.train.spark.test_spark_item_item import overlap

import homefeed
from homefeed.catalog import SignalsModel
from homefeed.dataset.export_manifest import ExportManifest
from homefeed.retrieve.association.model import AssociationModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.store.artifacts import ArtifactStore, Loaded
from homefeed.train.spark import session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPARK = ("--engine", "spark")


@pytest.fixture
def home(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop that was imported; commands train it in the session of the tests."""

    @contextmanager
    def shared(*_: object) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(session, "spark_session", shared)
    monkeypatch.chdir(tmp_path)
    sizes = ("--users", "40", "--items", "60", "--events", "1200")
    done(tmp_path / "home", "generate", "shop", "--out", "sample", *sizes)
    done(tmp_path / "home", "import", "shop", "sample")
    return tmp_path / "home"


def found(home: Path, name: str, kind: type[Any]) -> Loaded[Any]:
    loaded = ArtifactStore(home / "models").find("shop", name, kind)
    assert loaded is not None
    return loaded


def without_java(tmp_path: Path) -> Mapping[str, str]:
    """The variables of a machine where neither Spark nor any other program is found."""
    (tmp_path / "blocked" / "pyspark").mkdir(parents=True)
    (tmp_path / "blocked" / "pyspark" / "__init__.py").write_text('raise ImportError("no Spark here")\n')
    sources = Path(homefeed.__file__).parents[1]
    return {"PATH": str(tmp_path / "empty"), "PYTHONPATH": f"{tmp_path / 'blocked'}:{sources}"}


def test_a_shop_trained_on_spark_is_served_without_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = home.parent / "local"
    shutil.copytree(home, local)
    told = json.loads(done(home, "train", "shop", *SPARK, "--json"))
    made = {each["model"] for each in told["manifests"]}
    assert made == {"content", "association", "item_item", "exposures", "signals"}
    assert {each["facts"]["engine"] for each in told["manifests"]} == {"spark"}
    assert told["left_out"]["blend"] == (
        "is made on one machine: homefeed train shop blend; until then the one before serves"
    )
    assert told["left_out"].keys() == {"similar", "sequence", "blend", "home_ranker"}
    assert told["rejected"].keys() == {"about no item, as a search is"}
    for name in ("content", "association", "item_item", "signals"):
        done(local, "train", "shop", name)
    ours, theirs = (found(each, "item_item", ItemItemModel).model for each in (home, local))
    assert overlap(ours, theirs) > 0.95
    rules, same = (found(each, "association", AssociationModel).model for each in (home, local))
    np.testing.assert_array_equal(rules.confidence, same.confidence)
    spark, one = (found(each, "signals", SignalsModel) for each in (home, local))
    np.testing.assert_array_equal(spark.model.trend, one.model.trend)
    assert spark.manifest.watermark == one.manifest.watermark > 0
    assert spark.manifest.facts["events"] == one.manifest.facts["events"]
    users = ("u1", "u2", "u3")
    asked = [json.loads(done(local, "recommend", "shop", "--user_id", user, "--json")) for user in users]
    for name, value in without_java(home.parent).items():
        monkeypatch.setenv(name, value)
    with serving(home, apps="shop") as server:
        url = f"{server.url}/v1/apps/shop/feeds/home"
        served = [httpx.get(url, params={"user_id": user, "n": 10}, timeout=20).json() for user in users]
    assert [page["items"] for page in served] != [[]] * len(users)
    assert [ids(page) for page in served] == [ids(page) for page in asked]


def ids(page: Mapping[str, Any]) -> list[str]:
    """The items of a page, in their order."""
    return [item["item_id"] for item in page["items"]]


def test_a_folder_that_was_exported_is_trained_on_and_what_is_left_out_is_printed(home: Path) -> None:
    done(home, "export", "shop", "days", "--by-day", "--only", "events")
    shown = done(home, "train", "shop", "signals", *SPARK, "--input", "days")
    assert "about no item, as a search is" in shown
    manifest = found(home, "signals", SignalsModel).manifest
    assert manifest.watermark == ExportManifest.read(Path("days")).event_seq
    next(Path("days").rglob("*.parquet")).unlink()
    assert "is missing or damaged" in str(
        run(home, "train", "shop", "signals", *SPARK, "--input", "days").exception
    )
    nowhere = run(home, "train", "shop", "signals", *SPARK, "--input", "nowhere")
    assert str(nowhere.exception).startswith(
        "Spark failed on nowhere, and what was not published yet is as before: "
    )
    assert found(home, "signals", SignalsModel).manifest.version == manifest.version


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--input", "days"), "are for --engine spark"),
        ((*SPARK, "--tune", "5s"), "are for one machine"),
        ((*SPARK, "--spark-conf", "spark.executor.memory"), "expected KEY=VALUE"),
        ((*SPARK, "--spark-master", "spark://127.0.0.1:1"), "nothing answers there"),
        ((*SPARK, "--input", "store"), "this store is SQLite"),
        ((*SPARK, "--spark-master", "spark://:7077"), "expected spark://HOST:PORT"),
        ((*SPARK, "--spark-master", "cluster"), "--spark-master cluster: expected spark://HOST:PORT, k8s://URL"),
        ((*SPARK, "--spark-master", "local[0]"), "--spark-master local[0]: expected"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(tmp_path: Path, options: tuple[str, ...], why: str) -> None:

    assert why in str(run(tmp_path, "train", "shop", *options).exception)
