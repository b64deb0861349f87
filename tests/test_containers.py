"""What the containers are made of fits together: no engine runs here, so names and commands are compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from homefeed.cli.main import cli
from homefeed.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
FINAL = STAGES[-1]
ENVIRONMENT = re.findall(r"\b([A-Z_]+)=", re.findall(r"^ENV ((?:.*\\\n)*.*)", FINAL, re.MULTILINE)[0])


# Compose has it beside YAML: what follows stands instead of what the file below says.
yaml.SafeLoader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def composed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["services"]
    return found


SERVICES = composed("compose.yaml")
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))


def is_known(variable: str) -> bool:
    """Whether a variable is a setting; those of others are not named like one."""
    prefix, _, name = variable.partition("_")
    return prefix != "HOMEFEED" or name.lower() in Settings.model_fields


def test_the_image_is_small_and_runs_as_nobody() -> None:
    assert len(STAGES) == 2
    assert re.search(r"^USER 10001:10001$", FINAL, re.MULTILINE)
    assert not re.search(r"pip|apt-get|gcc", FINAL)
    assert "HEALTHCHECK" in FINAL
    assert all(stage.startswith("python:${PYTHON}-slim-") for stage in STAGES)
    assert re.search(r"^ARG PYTHON=3\.\d+$", DOCKERFILE, re.MULTILINE)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [
        path for line in re.findall(r"^COPY ([^-\n]+) \S+$", DOCKERFILE, re.MULTILINE) for path in line.split()
    ]
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(copied) == sorted(kept)
    assert all((ROOT / path).exists() for path in copied)


def test_the_extras_of_the_image_are_known_or_about_to_be() -> None:
    (extras,) = re.findall(r"^ARG EXTRAS=(.+)$", DOCKERFILE, re.MULTILINE)
    known = re.findall(r"^([\w-]+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(extras.split(",")) <= {*known}


def test_commands_are_commands() -> None:
    run = re.findall(r'^(?:RUN|CMD) \["(?:homefeed", ")?(\w+)"\]', FINAL, re.MULTILINE)
    jobs = SERVICES["jobs"]["command"]
    assert (run, jobs) == (["compile", "serve"], ["schedule"])
    for command in (*run, *jobs):
        assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0


def test_variables_are_settings() -> None:
    told = [*ENVIRONMENT, *SERVICES["api"]["environment"], *composed("compose.dev.yaml")["api"]["environment"]]
    assert len([name for name in told if name.startswith("HOMEFEED_")]) > 5
    assert [name for name in told if not is_known(name)] == []


def test_secrets_come_from_the_environment_and_the_example_names_them_all() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\$\{(\w+):\?", text)) == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert set(re.findall(r"\$\{(\w+):", text)) - set(example) == {"HOMEFEED_TAG"}


@each_service
def test_each_service_ends_up_running_within_bounds(service: dict[str, Any]) -> None:
    assert service["restart"] == "unless-stopped"
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["logging"]["options"]["max-file"]
    # The health of the API is the image's.
    assert "healthcheck" in service or service["image"].startswith("homefeed:")


def test_the_api_can_be_scaled_and_nothing_but_the_proxy_is_open() -> None:
    assert "container_name" not in SERVICES["api"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["api"]["environment"]["HOMEFEED_REPLICAS"] == "true"
    assert SERVICES["api"]["volumes"] == SERVICES["jobs"]["volumes"] == ["data:/srv/homefeed/data"]


def test_the_proxy_asks_for_a_host_that_the_api_answers_for() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"http://(\w+):(\d+);", text) == [("api", "8000")]
    assert SERVICES["api"]["environment"]["HOMEFEED_ALLOWED_HOSTS"] == "api"
    (listens,) = re.findall(r"listen (\d+);", text)
    assert SERVICES["proxy"]["ports"][0].endswith(f":{listens}")


def test_development_changes_services_that_are_there() -> None:
    changed = composed("compose.dev.yaml")
    assert set(changed) <= set(SERVICES)
    assert "homefeed.server:create_app" in shlex.join(changed["api"]["entrypoint"])
    assert changed["api"]["environment"]["PYTHONPATH"] == "/source"
