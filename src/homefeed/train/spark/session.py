"""A session of Spark: Java is looked for first, and nothing of it outlives the work."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from homefeed.errors import HomefeedError, NotInstalledError
from homefeed.extras import Extra

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPARK: Final = Extra("spark", "pyspark")
LOCAL: Final = "local[*]"
"""All cores of this machine, in one process."""
CHECKPOINTS: Final = "spark.checkpoint.dir"
"""A folder where work of many steps is written in between: else each step remembers all those before it, and at
some twenty the stack of Java overflows."""

_JAVA: Final = (17, 21)
_JAVA_WAIT: Final = 30.0
_DEFAULTS: Final[Mapping[str, str]] = {
    # What is kept for several passes has as many partitions as it needs: each costs a call of Python in each pass.
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.log.level": "ERROR",
    "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
    # What comes to the driver grows with items, and with pairs where each user counts once: the model holds it.
    "spark.driver.maxResultSize": "0",
}


@contextmanager
def spark_session(
    name: str, master: str = LOCAL, settings: Mapping[str, str] | None = None
) -> Iterator[SparkSession]:
    """A session on a cluster, or in a process of this machine; it ends with the context.

    Raises:
        NotInstalledError: PySpark or a Java that it runs on is missing.
        HomefeedError: Spark does not start, as with settings that it does not take.
    """
    require_java()
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SPARK.missing(error) from error
    # Nothing here makes frames of pandas: all goes by Arrow.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    # Workers of this machine run what runs here; those of others the Python of the same name.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable if master.startswith("local") else "python3")
    builder = SparkSession.builder.appName(f"homefeed {name}").master(master)
    with TemporaryDirectory(prefix="homefeed-checkpoints-") as folder:
        # A cluster's must be seen by all of its nodes: whoever has one names it.
        here = {CHECKPOINTS: folder} if master.startswith("local") else {}
        for key, value in {**_DEFAULTS, **here, **(settings or {})}.items():
            builder = builder.config(key, value)
        try:
            session = builder.getOrCreate()
        except (PySparkException, Py4JError) as error:
            # Java has said on the standard error what it is.
            why = next(iter(str(error).splitlines()), "")
            raise HomefeedError(f"Spark does not start on {master}: {why:.300}; look at --spark-conf") from error
        try:
            yield session
        finally:
            session.stop()


def await_workers(spark: SparkSession, seconds: float) -> bool:
    """Wait so long for a worker of a cluster; returns whether there is one."""
    end = time.monotonic() + seconds
    context = spark.sparkContext._jsc.sc()
    # The driver is among those with memory.
    while context.getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def require_java() -> None:
    """Look for a Java that Spark runs on: $JAVA_HOME, else that of the path.

    Raises:
        NotInstalledError: there is none, or it is of another version.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    wanted = f"Spark runs on Java {' or '.join(map(str, _JAVA))}"
    install = "install one (on Debian: apt install default-jre-headless)"
    if java is None or not Path(java).is_file():
        place = "none is on the path" if java is None else f"$JAVA_HOME has no {java}"
        raise NotInstalledError(f"{wanted}, and {place}; {install}")
    try:
        # What the person who trains names as their Java.
        done = subprocess.run(  # noqa: S603
            [java, "-version"], capture_output=True, text=True, timeout=_JAVA_WAIT, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalledError(f"{wanted}, and {java} does not run ({error}); {install}") from error
    version = _major(done.stderr)
    if version not in _JAVA:
        raise NotInstalledError(f"{wanted}, and {java} is {version or 'of no known version'}; {install}")


def _major(told: str) -> int | None:
    """The version of `java -version`: 17 of 'openjdk version "17.0.15" 2025-04-15'."""
    _, _, rest = told.partition('version "')
    digits = rest.partition('"')[0].partition(".")[0]
    return int(digits) if digits.isdigit() else None
