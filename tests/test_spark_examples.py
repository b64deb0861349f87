"""The containers of examples/spark fit together and call Homefeed's commands: no engine runs here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from homefeed.settings import Settings

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "spark"
COMPOSED: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSED["services"]
OPERATED: dict[str, Any] = yaml.safe_load((FOLDER / "homefeed-train.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
ENTRY = (FOLDER / "train.py").read_text(encoding="utf-8")


def test_workers_and_driver_find_the_master_and_the_export() -> None:
    master = SERVICES["master"]["command"]
    address = f"spark://{master[master.index('--host') + 1]}:{master[master.index('--port') + 1]}"
    workers = [service for name, service in SERVICES.items() if name.startswith("worker")]
    assert len(workers) == 2
    assert all(worker["command"][-1] == address for worker in workers)
    assert f"--spark-master={address}" in SERVICES["train"]["command"]
    (export,) = {mount for worker in workers for mount in worker["volumes"]}
    assert export in SERVICES["train"]["volumes"]
    assert f"--input={export.removesuffix(':ro').rpartition(':')[2]}" in SERVICES["train"]["command"]


def test_an_executor_fits_into_a_worker_and_leaves_it_room() -> None:
    executor = next(part for part in SERVICES["train"]["command"] if "spark.executor.memory" in part)
    for name in ("worker-1", "worker-2"):
        worker = SERVICES[name]
        assert worker["command"][worker["command"].index("--memory") + 1] == executor.rpartition("=")[2] == "2g"
        assert worker["deploy"]["resources"]["limits"]["memory"] == "3g"


def test_the_image_is_the_one_that_is_built() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", DOCKERFILE, re.MULTILINE)
    assert f"--tag {base} ." in DOCKERFILE
    images = {service["image"] for service in SERVICES.values()}
    assert images == {re.findall(r"--tag (\S+) examples/spark", DOCKERFILE)[0]}
    (extras,) = re.findall(r"EXTRAS=(\S+)", DOCKERFILE)
    known = re.findall(r"^([\w-]+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"spark", "ann"} <= set(extras.split(",")) <= {*known}
    assert DOCKERFILE.rstrip().endswith("USER 10001:10001")


def test_the_operator_runs_the_file_of_the_image_on_a_heap_of_two_gigabytes() -> None:
    spec = OPERATED["spec"]
    (copied,) = re.findall(r"^COPY train\.py (\S+)$", DOCKERFILE, re.MULTILINE)
    assert spec["pyFiles"] == f"local://{copied}"
    assert "from homefeed.cli import main" in ENTRY
    assert spec["sparkConf"]["spark.executor.memory"] == "2g"


@pytest.mark.parametrize("told", [SERVICES["train"]["command"], OPERATED["spec"]["driverArgs"]])
def test_both_train_on_spark(told: list[str]) -> None:
    assert told[0] == "train"
    assert "--engine=spark" in told


def test_variables_are_settings() -> None:
    secrets = [name.rpartition(".")[2] for name in OPERATED["spec"]["sparkConf"] if "secretKeyRef" in name]
    for name in (*SERVICES["train"]["environment"], *secrets):
        assert name.removeprefix("HOMEFEED_").lower() in Settings.model_fields
