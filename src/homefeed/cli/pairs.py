"""Models that learn from click samples: trained, and how good they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homefeed.cli.common import out, progress
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store.artifacts import Manifest

CLICKS = (
    "A file of click samples (.parquet, .csv, .jsonl), or the folder that holds it: what learns from them is "
    "trained, too; alone where JOB names it."
)


def samples_named(recipe: Recipe, job: str | None, clicks: Path | None, others: bool) -> Mapping[str, Path]:
    """The file of each model that is to be trained on click samples.

    `others` is whether there are options that are for other models only.

    Raises:
        InvalidError: the job is such a model and there are no samples, or is another and there are.
    """
    from homefeed.train.pairs import samples_of

    names = [spec.name for spec in recipe.pair_models]
    if job not in names:
        if clicks is not None and job is not None:
            told = ", ".join(names) or "none is declared"
            raise InvalidError(f"--clicks is for all models together, or for those of click samples: {told}")
        return {} if clicks is None else samples_of(recipe, clicks)
    if clicks is None:
        raise InvalidError(f"{job} learns from click samples; name their file, or its folder, by --clicks PATH")
    if others:
        raise InvalidError(
            f"{job} learns from click samples: --tune, --trials, --untuned and --dry-run are not for it"
        )
    return samples_of(recipe, clicks, [job])


def trained_on_pairs(
    settings: Settings, recipe: Recipe, samples: Mapping[str, Path], quiet: bool
) -> tuple[Manifest, ...]:
    """Train models on click samples with a progress bar."""
    from homefeed.environment import Environment
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.train.pairs import train_on_pairs

    def each() -> Iterator[Manifest]:
        for name, file in samples.items():
            report(f"training {name}", 0, 1)
            yield train_on_pairs(recipe, ArtifactStore(settings.models_folder), Environment(), name, file)
            report(f"training {name}", 1, 1)

    with progress(quiet) as report:
        return tuple(each())


def print_pairs(manifests: Sequence[Manifest]) -> None:
    """How good each is, and what counts in it."""
    from rich.table import Table

    for manifest in manifests:
        facts = manifest.facts
        out.print(f"{manifest.model} {manifest.version}: {_samples(facts)}", highlight=False, markup=False)
        for measure, value in _measures(facts["validation"]):
            out.print(f"  {measure:<9} {value}", highlight=False, markup=False)
        table = Table("feature", title="by importance: what a standard deviation adds to the log-odds")
        table.add_column("weight", justify="right")
        for row in facts["importances"]:
            table.add_row(row["feature"], f"{row['weight']:+.3f}")
        out.print(table)


def _samples(facts: Mapping[str, Any]) -> str:
    told, left_out = facts["validation"], sum(facts["left_out"].values())
    words = f"learned from {told['fitted']:,} samples, judged on {told['held_out']:,} others"
    words += f", of which {told['chosen_share']:.1%} were clicked"
    reasons = "; ".join(f"{reason} ({count:,})" for reason, count in facts["left_out"].items())
    return f"{words}; {left_out:,} row{'' if left_out == 1 else 's'} left out: {reasons}" if left_out else words


def _measures(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    precision = told["precision"]
    yield "accuracy", f"{told['accuracy']:.3f}"
    yield "ROC AUC", f"{told['roc_auc']:.3f}"
    yield "precision", "none was taken for a click" if precision is None else f"{precision:.3f}"
    yield "recall", f"{told['recall']:.3f}"
