"""Where Spark reads events: what `homefeed export --by-day` wrote, other files by path or URL, or PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.types import NumericType, StringType, TimestampNTZType, TimestampType
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from homefeed.dataset.export_manifest import ExportManifest, is_export
from homefeed.dataset.impression_frames import IMPRESSIONS
from homefeed.errors import DataError, InvalidError, NotInstalledError
from homefeed.recipe import Recipe

JDBC_JAR: Final = Path("/usr/share/java/postgresql.jar")
"""Where Debian's libpostgresql-jdbc-java puts the driver."""

_DRIVER: Final = "org.postgresql.Driver"
_NEEDED: Final = ("user_id", "item_id", "event_type", "timestamp")
_ROWS_AT_ONCE: Final = 10_000
"""How many rows PostgreSQL sends at a time: else all of a partition's are in memory."""
_PARTITION: Final = 1_000_000
"""How many rows of the log one partition reads."""
_APP: Final = re.compile(r"[a-z0-9_-]+")
_LOG: Final = """(SELECT e.seq, u.user_id, i.item_id, e.event_type, e.value, e.time FROM events e
JOIN users u ON u.app = e.app AND u.number = e."user"
LEFT JOIN items i ON i.app = e.app AND i.number = e.item
WHERE e.app = '{app}' AND e.seq <= {until}) AS log"""


@dataclass(frozen=True, slots=True)
class Input:
    """Events with the columns user_id, item_id, event_type, value (double), time (microseconds) and seq.

    `of_log` tells that they are rows of a log, each once and checked when it came in, up to `event_seq`; others
    have no `seq`. Of exported files there are `impressions`, as `dataset.impression_frames` has them, with `time`,
    if they were exported, and events have a `request_id`.
    """

    events: DataFrame
    name: str
    of_log: bool
    event_seq: int | None = None
    impressions: DataFrame | None = None


def open_input(spark: SparkSession, named: str, recipe: Recipe, until: int) -> Input:
    """The events at a path, a URL that Spark reads, or a `postgresql://` URL, there those up to a row of the log.

    Raises:
        DataError: they cannot be read, are another app's, or lack a column.
        NotInstalledError: the JDBC driver of PostgreSQL is missing.
    """
    if is_postgresql(named):
        return _of_postgresql(spark, named, recipe, until)
    folder = Path(named)
    if not is_export(folder):
        return _of_files(spark, named)
    manifest = ExportManifest.read(folder)
    if manifest.app != recipe.app:
        raise DataError(f"{folder} was exported from {manifest.app}, not from {recipe.app}; name another folder")
    if not (folder / "events").is_dir():
        raise DataError(f"{folder}: has no events by day; export them with --by-day")
    found = _of_files(spark, str((folder / "events").absolute()))
    shown = _impressions(spark, folder / "impressions")
    return Input(found.events, named, found.of_log, manifest.event_seq, shown)


def without_password(named: str) -> str:
    """What an input may be called in an error or a log."""
    if not is_postgresql(named):
        return named
    try:
        return make_url(named).render_as_string()
    except ArgumentError:
        return "postgresql://..."


def is_postgresql(named: str) -> bool:
    """Whether an input is a database."""
    return named.startswith(("postgresql://", "postgresql+"))


def jdbc_jars() -> dict[str, str]:
    """The setting that brings Debian's driver of PostgreSQL, where it is installed."""
    return {"spark.jars": str(JDBC_JAR)} if JDBC_JAR.is_file() else {}


def _of_files(spark: SparkSession, named: str) -> Input:
    frame = spark.read.parquet(named)
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise DataError(
            f"{named}: has no column {', '.join(missing)}; expected {', '.join(_NEEDED)}, and value, event_id or "
            "seq where there are such, as homefeed export --by-day writes them"
        )
    of_log = "seq" in frame.columns
    columns = [sql.col(name).cast("string").alias(name) for name in ("user_id", "item_id", "event_type")]
    columns += [_value(frame).alias("value"), _microseconds(frame, named).alias("time")]
    others = ("seq", "request_id") if of_log else ("event_id",)
    columns += [sql.col(name) for name in others if name in frame.columns]
    return Input(frame.select(*columns), named, of_log)


def _impressions(spark: SparkSession, folder: Path) -> DataFrame | None:
    """Those of an export; None where it has none, or, as those of earlier versions, has them without features."""
    if not folder.is_dir():
        return None
    frame = spark.read.parquet(str(folder.absolute()))
    if any(name not in frame.columns for name in IMPRESSIONS):
        return None
    return frame.select(*IMPRESSIONS).withColumn("time", sql.unix_micros("timestamp")).drop("timestamp")


def _value(frame: DataFrame) -> Column:
    """Numbers, NaN of text that is none: it is counted."""
    if "value" not in frame.columns:
        return sql.lit(None).cast("double")
    if isinstance(frame.schema["value"].dataType, NumericType):
        return sql.col("value").cast("double")
    text = sql.col("value").cast("string")
    return sql.when(text.isNotNull(), sql.coalesce(text.try_cast("double"), sql.lit(float("nan"))))


def _microseconds(frame: DataFrame, named: str) -> Column:
    """The time of each event; null where text is no time."""
    kind, time = frame.schema["timestamp"].dataType, sql.col("timestamp")
    if isinstance(kind, TimestampType):
        return sql.unix_micros(time)
    if isinstance(kind, TimestampNTZType | StringType):
        return sql.unix_micros(time.try_cast("timestamp"))
    raise DataError(f"{named}: expected times or text in the column timestamp, got {kind.simpleString()}")


def _of_postgresql(spark: SparkSession, named: str, recipe: Recipe, until: int) -> Input:
    try:
        url = make_url(named)
    except ArgumentError:
        raise InvalidError("expected postgresql://user:password@host:port/database as the input") from None
    if not _APP.fullmatch(recipe.app):
        raise InvalidError(f'the app "{recipe.app}" cannot be read by JDBC; export it, and name the folder')
    place = f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or url.username or ''}"
    reader = spark.read.format("jdbc").options(
        url=f"jdbc:postgresql://{place}",
        driver=_DRIVER,
        dbtable=_LOG.format(app=recipe.app, until=until),
        fetchsize=_ROWS_AT_ONCE,
        # Bounds divide the rows; those beyond are in the first and the last partition.
        partitionColumn="seq",
        lowerBound=0,
        upperBound=max(until, 1),
        numPartitions=max(1, -(-until // _PARTITION)),
        user=url.username or "",
        password=url.password or "",
    )
    try:
        return Input(reader.load(), f"postgresql://{place}", True, until)
    except Exception as error:
        if "ClassNotFoundException" not in str(error):
            raise
        raise NotInstalledError(
            "Spark has no JDBC driver of PostgreSQL; install one (on Debian: apt install libpostgresql-jdbc-java) "
            "or name it: --spark-conf spark.jars=/path/of/postgresql.jar"
        ) from None
