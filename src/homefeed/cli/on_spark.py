"""Training on Spark: the options of train, and how they become a session."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from homefeed.cli.common import on_store, out, progress
from homefeed.errors import InvalidError, UnavailableError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.train import Trained

ENGINE: Final = "What trains: this process, or Apache Spark; see docs/spark.md."
MASTER: Final = "With --engine spark: spark://HOST:PORT, k8s://URL, yarn, or local[N]; by default all cores here."
INPUT: Final = (
    "With --engine spark: a folder of homefeed export --by-day, Parquet at a path or URL that Spark reads, or, by "
    "JDBC, store or postgresql://...; by default the store, exported to a temporary folder."
)
CONF: Final = "With --engine spark: a setting of Spark, such as spark.executor.memory=2g; more than once for more."

_MASTER: Final = re.compile(r"local(\[(\*|[1-9][0-9]{0,3})\])?|yarn|spark://.+|k8s://.+")
_STORE: Final = "store"
_STANDALONE: Final = "spark://"
_PORT: Final = 7077
_REACH_SECONDS: Final = 5.0
_WORKERS_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class OnSpark:
    """Where Spark runs, what it reads, and its settings."""

    master: str | None = None
    source: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def asked(cls, engine: str, master: str | None, source: str | None, conf: Sequence[str] | None) -> Self | None:
        """What the options ask for; None where this process is to train.

        Raises:
            InvalidError: options of Spark without it, or a setting without a value.
        """
        if engine != "spark":
            if master or source or conf:
                raise InvalidError("--spark-master, --input and --spark-conf are for --engine spark; add that")
            return None
        pairs = [entry.partition("=") for entry in conf or ()]
        for key, equals, _ in pairs:
            if not (key and equals):
                raise InvalidError(f"--spark-conf {key}: expected KEY=VALUE, such as spark.executor.memory=2g")
        return cls(master, source, {key: value for key, _, value in pairs})

    def check(self, *, alone: bool) -> None:
        """Fail before the work, not in the middle.

        Raises:
            InvalidError: it is asked for together with what one machine does, or the master is none.
            UnavailableError: nothing answers at the master.
        """
        if not alone:
            raise InvalidError(
                "--tune, --trials, --dry-run, --data and --synthetic are for one machine; leave --engine spark out"
            )
        if self.master is None:
            return
        if not _MASTER.fullmatch(self.master):
            raise InvalidError(
                f"--spark-master {self.master}: expected spark://HOST:PORT, k8s://URL, yarn, local or local[N]"
            )
        if self.master.startswith(_STANDALONE):
            require_master(self.master)

    def trained(
        self,
        settings: Settings,
        recipe: Recipe,
        quiet: bool,
        *,
        models: Sequence[str] | None,
        job: str | None,
        keep_tuned: bool,
    ) -> Trained:
        """Train an app with a progress bar.

        Raises:
            NotInstalledError: PySpark or Java is missing.
            InvalidError: the store is to be read by JDBC, and is SQLite.
            UnavailableError: the cluster has no worker.
        """
        from homefeed.engine import text_model_of
        from homefeed.environment import Environment
        from homefeed.store.artifacts import ArtifactStore
        from homefeed.train.spark.session import LOCAL, SPARK, require_java, spark_session

        require_java()
        try:
            from homefeed.train.spark.inputs import is_postgresql, jdbc_jars
            from homefeed.train.spark.training import train_on_spark
        except ImportError as error:
            raise SPARK.missing(error) from error
        source = self._named(settings)
        jars = jdbc_jars() if source is not None and is_postgresql(source) else {}
        with (
            progress(quiet) as report,
            spark_session(recipe.app, self.master or LOCAL, {**jars, **self.settings}) as spark,
        ):
            self._await_workers(spark)
            return on_store(
                settings,
                lambda store: train_on_spark(
                    recipe,
                    store,
                    ArtifactStore(settings.models_folder),
                    Environment(),
                    spark,
                    source,
                    models=models,
                    job=job,
                    seed=settings.seed,
                    text_model=text_model_of(settings.text_model),
                    keep_tuned=keep_tuned,
                    progress=report,
                ),
            )

    def _named(self, settings: Settings) -> str | None:
        """The input, where "store" is the store's own database."""
        if self.source != _STORE:
            return self.source
        if not settings.store_url.startswith("postgresql"):
            raise InvalidError(
                "--input store: Spark reads PostgreSQL, and this store is SQLite; leave --input out"
            )
        return settings.store_url

    def _await_workers(self, spark: SparkSession) -> None:
        """Wait for a first worker of a standalone cluster: without one work would wait for ever."""
        if self.master is None or not self.master.startswith(_STANDALONE):
            return
        from homefeed.train.spark.session import await_workers

        if not await_workers(spark, _WORKERS_SECONDS):
            raise UnavailableError(
                f"{self.master} gave no worker within {_WORKERS_SECONDS:g} s; start one, or ask for less: "
                "--spark-conf spark.executor.memory=1g"
            )


def require_master(url: str) -> None:
    """Look whether a standalone master answers.

    Raises:
        InvalidError: it is no such URL.
        UnavailableError: none of those that it names does.
    """
    told = ""
    for place in url.removeprefix(_STANDALONE).split(","):
        host, _, port = place.partition(":")
        if not host or (port and not port.isdigit()):
            raise InvalidError(f"--spark-master {url}: expected spark://HOST:PORT")
        try:
            socket.create_connection((host, int(port or _PORT)), _REACH_SECONDS).close()
        except (OSError, OverflowError) as error:
            told = str(error)
        else:
            return
    raise UnavailableError(f"--spark-master {url}: nothing answers there ({told}); start it, or name another")


def print_rejected(rejected: Mapping[str, int]) -> None:
    """Say how many rows of the input were not trained on, and why: the most frequent reasons first."""
    from rich.table import Table

    if not rejected:
        return
    table = Table("left out", "rows", title=None)
    for reason, count in rejected.items():
        table.add_row(reason, f"{count:,}")
    out.print(table)
