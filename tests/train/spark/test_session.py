"""Java is found, or it is said in a sentence what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from homefeed.errors import NotInstalledError
from homefeed.train.spark.session import require_java


def _java(folder: Path, told: str, code: int = 0) -> Path:
    """A `java` that tells this of itself, in a folder as $JAVA_HOME is."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{told}\nEND\nexit {code}\n")
    java.chmod(0o755)
    return folder


@pytest.mark.parametrize("version", ["17.0.15", "21.0.4", "21"])
def test_a_java_that_spark_runs_on_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path, f'openjdk version "{version}" 2025-04-15')))
    require_java()


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ('openjdk version "1.8.0_402"', 0, "is 1"),
        ('openjdk version "11.0.2"', 0, "is 11"),
        ("what is this", 0, "is of no known version"),
        ("broken", 1, "does not run"),
    ],
)
def test_another_java_is_refused_and_what_to_do_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, code: int, said: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(_java(tmp_path, told, code)))
    with pytest.raises(
        NotInstalledError, match=f"Spark runs on Java 17 or 21, and .*{said}.*default-jre-headless"
    ):
        require_java()


def test_no_java_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NotInstalledError, match=r"and \$JAVA_HOME has no .*java; install one"):
        require_java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalledError, match="and none is on the path; install one"):
        require_java()


def test_what_does_not_start_is_one_sentence(tmp_path: Path) -> None:
    """In a process of its own: one that has Spark already does not start it again."""
    home = _java(tmp_path, 'openjdk version "17.0.15" 2025-04-15')
    start = (
        "from homefeed.errors import HomefeedError\n"
        "from homefeed.train.spark.session import spark_session\n"
        "try:\n    spark_session('test').__enter__()\n"
        "except HomefeedError as error:\n    print(error)"
    )
    variables = os.environ | {"JAVA_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", start], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Spark does not start on local[*]: ")
    assert "look at --spark-conf" in done.stdout
