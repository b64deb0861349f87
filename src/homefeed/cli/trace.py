"""The trace of an item, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

import typer
from rich import box
from rich.table import Table

from homefeed.cli.common import out, printable
from homefeed.explain import Trace


def print_trace(trace: Trace, models: Mapping[str, str], user_id: str, item_id: str) -> None:
    """Print a trace: verdict, filters, the retrievers that proposed the item, its score, and its rerankers."""
    typer.secho(printable(f"{trace.verdict}: item {item_id} for user {user_id}"), bold=True)
    if trace.reason:
        typer.echo(printable(f"Reason: {trace.reason}"))
    if trace.cold_start:
        typer.echo(f"The user has no usable history: made by the feed {trace.made_by}")
    for filter_ in trace.filters:
        if not filter_.passed:
            typer.echo(printable(f"Filter {filter_.name} stopped it{f': {filter_.why}' if filter_.why else ''}"))
    passed = [filter_.name for filter_ in trace.filters if filter_.passed]
    typer.echo(f"Filters passed: {', '.join(passed) or 'none'}")
    out.print(_retrievers(trace))
    if trace.score is not None:
        out.print(_features(trace))
        typer.echo(f"Score {trace.score:.4f}, place {trace.place} of {trace.candidates} candidates")
    for event, likely in trace.probabilities.items():
        typer.echo(printable(f"Probability of {event}: {likely:.4f}"))
    if trace.why_not_learned is not None:
        typer.echo(printable(f"Ranked by {trace.ranked_by}, not by the learned ranker: {trace.why_not_learned}"))
    elif trace.ranked_by:
        typer.echo(printable(f"Ranked by {trace.ranked_by}"))
    for reranker in trace.rerankers:
        if reranker.before is not None and reranker.before != reranker.after:
            to = "out" if reranker.after is None else f"to place {reranker.after}"
            typer.echo(f"Reranker {reranker.name} moved it from place {reranker.before} {to}")
    if trace.propensity is not None and trace.propensity < 1:
        typer.echo(f"Chance put it there, with a probability of {trace.propensity:.4f}")
    for failed in trace.failed:
        typer.echo(printable(f"Failed: {failed}"))
    typer.echo(_times(trace))
    typer.echo(f"Models: {', '.join(f'{name} {version}' for name, version in models.items()) or 'none trained'}")


def _times(trace: Trace) -> str:
    """How long the request took, and of that each stage with its parts, longest first."""
    stages: dict[str, float] = {}
    for name, seconds in trace.seconds.items():
        stage = name.partition(".")[0]
        stages[stage] = stages.get(stage, 0.0) + seconds * 1000
    longest = sorted(stages.items(), key=lambda stage: -stage[1])
    shown = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in longest)
    return f"Took {sum(stages.values()):.2f} ms: {shown}"


def _retrievers(trace: Trace) -> Table:
    table = Table("retriever", "score", "rank", "of", box=box.SIMPLE_HEAD)
    for found in trace.retrievers:
        score = "" if found.score is None else f"{found.score:.4f}"
        table.add_row(found.name, score, "" if found.rank is None else str(found.rank), str(found.proposals))
    return table


def _features(trace: Trace) -> Table:
    """The largest contribution first; a feature named after a retriever is what it says of the item."""
    table = Table("feature", "value", "adds to the score", box=box.SIMPLE_HEAD)
    for feature in sorted(trace.features, key=lambda feature: -abs(feature.contribution)):
        table.add_row(feature.name, f"{feature.value:.4f}", f"{feature.contribution:+.4f}")
    return table
