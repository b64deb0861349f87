"""What an app of a size takes: memory, disk, training and processes, by coefficients that were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

Engine: TypeAlias = Literal["local", "spark"]

MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A number that was measured: its `unit`, what it means, and by which benchmark it is measured again."""

    value: float
    unit: str
    meaning: str
    benchmark: str


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What `size` goes by. Of streaming on SQLite, one process, two shared cores."""

    server: Coefficient = Coefficient(
        230, "MB", "a process before the first item: libraries, compiled loops", "serving.sizing"
    )
    item_own: Coefficient = Coefficient(
        560, "B", "a process has of its own for each item", "serving.load --page streaming-1m"
    )
    item_mapped: Coefficient = Coefficient(
        5_900, "B", "models of each item, mapped once by all processes of a host", "serving.sizing"
    )
    users_in_memory: Coefficient = Coefficient(32, "MB", "`user_cache_megabytes` of a process", "serving.sizing")
    event_on_disk: Coefficient = Coefficient(155, "B", "an event in the store, with its indices", "serving.sizing")
    item_on_disk: Coefficient = Coefficient(
        240, "B", "an item in the store, with its attributes", "serving.sizing"
    )
    user_on_disk: Coefficient = Coefficient(130, "B", "a user in the store", "serving.sizing")
    model_versions: Coefficient = Coefficient(3, "", "versions of each model that are kept on disk", "")
    import_rate: Coefficient = Coefficient(112_827, "events/s", "import of CSV into SQLite", "serving.import_rate")
    train_base_memory: Coefficient = Coefficient(900, "MB", "training before the first event", "serving.sizing")
    train_memory: Coefficient = Coefficient(
        0.3, "MB", "training, times events to the power below", "serving.sizing"
    )
    train_memory_power: Coefficient = Coefficient(0.63, "", "of training's memory", "cf.scale")
    train_base_seconds: Coefficient = Coefficient(110, "s", "training of a few events", "serving.sizing")
    train_seconds: Coefficient = Coefficient(
        0.00048, "s", "training, times events to the power below", "serving.sizing"
    )
    train_seconds_power: Coefficient = Coefficient(0.87, "", "of training's time", "cf.scale")
    spark_work: Coefficient = Coefficient(
        2.5, "", "processor time of a training on Spark, times that on one machine", "spark.train"
    )
    page: Coefficient = Coefficient(1.0, "ms", "processor time of a page of up to 10,000 items", "serving.load")
    page_decade: Coefficient = Coefficient(0.8, "ms", "more for each tenfold of 10,000 items", "serving.load")
    busy: Coefficient = Coefficient(0.5, "", "of a core that pages may take, so that few wait", "serving.steady")


COEFFICIENTS: Final = Coefficients()

_FIRST_ITEMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. Training beyond `train_gb` or `train_hours` on one machine goes to Spark."""

    items: int
    users: int
    events: int
    rps: float
    train_gb: float = 16.0
    train_hours: float = 6.0


@dataclass(frozen=True, slots=True)
class Size:
    """MB are 10^6 bytes. `replicas` are processes of one core each, `host_mb` what all of them take on one host.

    Training's memory and time are those of one machine, whatever the `engine`: `why` says what speaks for it.
    `spark_seconds` are the processor's, of all of a cluster's cores together.
    """

    replicas: int
    server_mb: float
    host_mb: float
    store_mb: float
    models_mb: float
    import_seconds: float
    train_mb: float
    train_seconds: float
    spark_seconds: float
    engine: Engine
    why: str


def size_of(wanted: Wanted, by: Coefficients = COEFFICIENTS) -> Size:
    """What an app of that size takes."""
    own = by.server.value + by.users_in_memory.value + wanted.items * by.item_own.value / MEGABYTE
    mapped = wanted.items * by.item_mapped.value / MEGABYTE
    replicas = max(1, math.ceil(wanted.rps * page_ms(wanted.items, by) / 1_000 / by.busy.value))
    train_mb = by.train_base_memory.value + by.train_memory.value * wanted.events**by.train_memory_power.value
    train_seconds = (
        by.train_base_seconds.value + by.train_seconds.value * wanted.events**by.train_seconds_power.value
    )
    engine, why = _engine(train_mb, train_seconds, wanted)
    rows = (
        (wanted.events, by.event_on_disk),
        (wanted.items, by.item_on_disk),
        (wanted.users, by.user_on_disk),
    )
    return Size(
        replicas=replicas,
        server_mb=own + mapped,
        host_mb=replicas * own + mapped,
        store_mb=sum(count * each.value for count, each in rows) / MEGABYTE,
        models_mb=by.model_versions.value * mapped,
        import_seconds=wanted.events / by.import_rate.value,
        train_mb=train_mb,
        train_seconds=train_seconds,
        spark_seconds=by.spark_work.value * train_seconds,
        engine=engine,
        why=why,
    )


def page_ms(items: int, by: Coefficients = COEFFICIENTS) -> float:
    """Processor time of a page, milliseconds."""
    return by.page.value + by.page_decade.value * max(0.0, math.log10(max(items, 1) / _FIRST_ITEMS))


def _engine(train_mb: float, train_seconds: float, wanted: Wanted) -> tuple[Engine, str]:
    gigabytes, hours = train_mb / 1_000, train_seconds / 3_600
    told = f"one machine takes {gigabytes:,.1f} GB and {hours:,.1f} h"
    limits = f"{wanted.train_gb:g} GB and {wanted.train_hours:g} h"
    if gigabytes > wanted.train_gb or hours > wanted.train_hours:
        return "spark", f"{told}, more than {limits}"
    return "local", f"{told}, within {limits}"


def coefficient_rows(coefficients: Coefficients = COEFFICIENTS) -> Sequence[tuple[str, Coefficient]]:
    """Every coefficient by its name."""
    return [(each.name, getattr(coefficients, each.name)) for each in fields(coefficients)]
