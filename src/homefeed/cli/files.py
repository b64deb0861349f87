"""Training on files: imported, held out in part, judged, and trained on as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from homefeed.cli.common import on_store, out, progress
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.evaluate.evaluation import Evaluation
    from homefeed.ingest import DataReport
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings

DATA = (
    "A folder of users, items and events (.parquet, .csv, .jsonl), as for homefeed import: they are imported, and "
    "the models are judged on what is held out of them, then trained on all."
)
RATIO = "With --data or --synthetic: the share of each user's latest interactions to judge by (0.2 by default)."
SYNTHETIC = "The same on the app's generated sample, in an app that has no other data."
TEST_RATIO: Final = 0.2

_SHOWN: Final = ("recall@100", "ndcg@10")


@dataclass(frozen=True, slots=True)
class OnFiles:
    """Which files to train on, if any: a folder, or the generated sample; and what share of them is held out."""

    folder: Path | None
    synthetic: bool
    ratio: float | None

    def __bool__(self) -> bool:
        return self.synthetic or self.folder is not None

    def check(self, job: str | None, others: bool) -> None:
        """Refuse what does not go together; `others` is whether there are options for other trainings only.

        Raises:
            InvalidError: it says what to leave out.
        """
        if self.ratio is not None and not self:
            raise InvalidError(
                "--test-ratio is for --data and --synthetic; for data that is there: homefeed evaluate"
            )
        if self.synthetic and self.folder is not None:
            raise InvalidError("--data and --synthetic: expected one of them, got both; leave one out")
        if self and (job is not None or others):
            raise InvalidError(
                "--data and --synthetic train every model: leave out JOB, --tune, --trials, --untuned and "
                "--dry-run"
            )


def imported_and_judged(
    settings: Settings, recipe: Recipe, files: OnFiles, quiet: bool
) -> tuple[DataReport, Evaluation]:
    """Import the files, and judge how models that are trained on the rest find what is held out of all data.

    Raises:
        InvalidError: the folder has no file of events, or the app has other data than the sample.
    """
    from homefeed.cli.data import imported
    from homefeed.cli.evaluate import evaluated
    from homefeed.evaluate.protocol import Protocol
    from homefeed.ingest import find_files

    with _folder(recipe, files, quiet) as folder:
        found = find_files(folder, recipe.sources)
        if found.events is None:
            name = recipe.sources.events.file or "events"
            raise InvalidError(f"--data: no file of {name} (.parquet, .csv, .jsonl) in {folder}")
        if files.synthetic and found.items is not None:
            _check_is_sample(settings, recipe, found.items)
        report = imported(settings, recipe, found, quiet)
    ratio = TEST_RATIO if files.ratio is None else files.ratio
    protocol = Protocol(split="last", last_share=ratio, seed=settings.seed, replay=False)
    feeds = (recipe.home or "home",)
    return report, evaluated(settings, recipe, quiet, feeds=feeds, baseline="popular", protocol=protocol)


@contextmanager
def _folder(recipe: Recipe, files: OnFiles, quiet: bool) -> Iterator[Path]:
    """Where the files are; those of a sample are gone in the end."""
    from homefeed.cli.data import generated

    if files.folder is not None:
        yield files.folder
        return
    with TemporaryDirectory(prefix="homefeed-") as name:
        with progress(quiet) as report:
            generated(recipe.app, Path(name), report)
        yield Path(name)


def _check_is_sample(settings: Settings, recipe: Recipe, file: Path) -> None:
    """Refuse to put invented items and people among real ones: models would learn of both.

    Raises:
        InvalidError: the app has items, users or events, and its items are not those of the sample.
    """
    import polars as pl

    from homefeed.dataset.log import read_catalog
    from homefeed.store.events import totals

    counts = on_store(settings, lambda store: totals(store, recipe.app, 0))
    if not (counts.items or counts.users or counts.events):
        return
    catalog = on_store(settings, lambda store: read_catalog(store, recipe))
    read = pl.read_parquet if file.suffix == ".parquet" else pl.read_csv
    made = set(read(file)[recipe.sources.items.column("item_id").column or "item_id"].cast(pl.String))
    known = {catalog.item_id(row) for row in range(catalog.size)}
    if known != made:
        raise InvalidError(
            f"--synthetic: {recipe.app} has data that is not its sample: {counts.items:,} items, {counts.users:,} "
            f"users and {counts.events:,} events; what is invented does not belong among them: leave --synthetic "
            "out, or set HOMEFEED_HOME to a new folder"
        )


def judged_json(report: DataReport, result: Evaluation) -> dict[str, Any]:
    """What was imported, the figures of each system as plain values, and how they came about."""
    told = result.to_json()
    systems = {name: {metric: told["systems"][of][metric] for metric in _SHOWN} for name, of in _named(result)}
    figures = {
        "description": told["protocol"]["description"],
        "test_users": told["test_users"],
        "systems": systems,
    }
    return {"imported": report.to_json(), "evaluation": figures}


def print_judged(report: DataReport, result: Evaluation) -> None:
    """What was imported, and what models found of what was held out, beside popularity."""
    from rich.table import Table

    from homefeed.ingest import render_report

    out.print(render_report(report))
    used = result.used
    title = (
        f"{used.targets:,} held-out interactions of {used.test_users:,} users, {used.train_events:,} to learn from"
    )
    table = Table("system", *_SHOWN, title=title)
    for name, of in _named(result):
        cells = (result.comparison.systems[of][metric] for metric in _SHOWN)
        table.add_row(name, *(f"{cell.mean:.4f} [{cell.low:.4f}, {cell.high:.4f}]" for cell in cells))
    out.print(table)
    out.print("Means over users, with 95 % bootstrap intervals.", highlight=False)


def _named(result: Evaluation) -> Iterator[tuple[str, str]]:
    """The systems to show: what to call each, and its name in the evaluation; retrievers that proposed nothing are
    left out, such as one that another stands in for."""
    for system in result.systems:
        found = result.comparison.systems[system.name]["recall@100"]
        if system.role == "retriever" and not found.high:
            continue
        words = {"merged": f"{system.feed}: candidates", "feed": f"{system.feed}: ranked list"}
        yield words.get(system.role, system.name), system.name
