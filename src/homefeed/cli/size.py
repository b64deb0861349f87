"""Size: what an app of so many items, users and events takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from homefeed.cli.common import Json, print_json


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(size)


def size(
    items: Annotated[int, typer.Option(min=0, max=10**9, help="How many items the catalogue has.")],
    users: Annotated[int, typer.Option(min=0, max=10**11, help="How many users there are.")],
    events: Annotated[int, typer.Option(min=0, max=10**13, help="How many events are kept: see events_days.")],
    rps: Annotated[float, typer.Option(min=0, max=10**7, help="How many pages a second at the busiest.")],
    train_gb: Annotated[
        float, typer.Option(min=0.5, help="How much memory training may take on one machine.")
    ] = 16.0,
    train_hours: Annotated[float, typer.Option(min=0.1, help="How long training may take on one machine.")] = 6.0,
    as_json: Json = False,
) -> None:
    """Estimate memory, disk, training and processes of an app by measured coefficients: docs/scale.md lists them.

    Example: `homefeed size --items 1000000 --users 200000 --events 5000000 --rps 300`
    """
    from homefeed.sizing import Wanted, size_of

    found = size_of(Wanted(items, users, events, rps, train_gb, train_hours))
    if as_json:
        print_json(asdict(found))
        return
    on_spark = found.engine == "spark"
    of_training = " on one machine" if on_spark else ""
    work = f"{_duration(found.spark_seconds)} of a core, over all cores"
    for name, value in (
        ("processes", f"{found.replicas:,}, a core each"),
        ("memory of a process", _megabytes(found.server_mb)),
        ("memory of all on one host", f"{_megabytes(found.host_mb)}; twice while models are replaced"),
        ("disk, store", _megabytes(found.store_mb)),
        ("disk, models", _megabytes(found.models_mb)),
        ("import", _duration(found.import_seconds)),
        (f"training{of_training}", f"{_duration(found.train_seconds)}, {_megabytes(found.train_mb)}"),
        *([("training on Spark", work)] if on_spark else []),
        ("engine of training", f"{found.engine}: {found.why}"),
    ):
        typer.echo(f"{name + ':':<30}{value}")


def _megabytes(size: float) -> str:
    for unit in ("MB", "GB"):
        if size < 1_000:
            return f"{size:,.3g} {unit}"
        size /= 1_000
    return f"{size:,.3g} TB"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3_600 else f"{seconds / 3_600:,.1f} h"
