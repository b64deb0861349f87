"""Evaluation: evaluate."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    Report,
    budget_of,
    err,
    on_store,
    out,
    print_json,
    print_written,
    printable,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.cli.tuning import format_blend, format_model
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.dataset.log import LogData
    from homefeed.evaluate.evaluation import Evaluation
    from homefeed.evaluate.protocol import Protocol
    from homefeed.rank.blend import RetrieverNumbers
    from homefeed.recipe import Recipe
    from homefeed.settings import Settings
    from homefeed.store import Store
    from homefeed.train import Budget

Split: TypeAlias = Literal["rolling", "time", "user", "last", "basket"]

_FEED = "The feed to evaluate, by default the one that people see first; repeat it to compare several."
_SPLIT = (
    "How requests are made: whenever a user came to something new after a cutoff, as the clock runs (rolling); or "
    "what is held out: all events after a cutoff (time), all events of some users (user), the last items of every "
    "user (last), or each user's first basket after the cutoff, requested at its start (basket)."
)
_SHARE = (
    "Share of events before the cutoff (rolling, time, basket; 0.8 by default), of users held out (user; 0.2), or "
    "of every user's items (last, in place of --last)."
)
_RETRAIN = (
    "How often models are trained while the clock runs, such as 1d, or never; by default as the recipe's jobs do "
    "(rolling)."
)
_TRAININGS = "Maximum number of trainings; where more are due, as many are spread over the time (rolling)."
_WITHIN = "What a user chooses within this time of a request is to be found by it (rolling; 1d by default)."
_REVEALED = "Share of a test user's held-out events that precede the request (time, user; 0.5 by default)."
_LAST = "Number of items held out per user (last; 1 by default)."
_MINUTES = "Minutes a basket lasts from its first event (basket; 0 by default: events at the same time)."
_REPEATS = "Items of the history may be recommended, and count when they are repeated."
_TUNE = (
    "First tune hyper-parameters and half-lives on the events before the test, for about this long: 90s, 10m, "
    "1.5h; then weights."
)
_NO_REPLAY = "Do not train and request a second time to find systems that read the future."
_SHARES: Final = {
    "rolling": "cutoff_share",
    "time": "cutoff_share",
    "basket": "cutoff_share",
    "user": "users_share",
    "last": "last_share",
}
"""The field that `--share` sets, by split."""


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(evaluate)


def evaluate(
    app: AppName,
    feed: Annotated[list[str] | None, typer.Option(help=_FEED)] = None,
    baseline: Annotated[str, typer.Option(help="The feed to compare with.")] = "popular",
    split: Annotated[Split, typer.Option(help=_SPLIT)] = "rolling",
    share: Annotated[float | None, typer.Option(min=0, max=1, help=_SHARE)] = None,
    revealed: Annotated[float | None, typer.Option(min=0, max=1, help=_REVEALED)] = None,
    last: Annotated[int | None, typer.Option(min=1, help=_LAST)] = None,
    basket_minutes: Annotated[int | None, typer.Option(min=0, help=_MINUTES)] = None,
    repeats: Annotated[bool, typer.Option("--repeats", help=_REPEATS)] = False,
    retrain: Annotated[str | None, typer.Option(metavar="DURATION", help=_RETRAIN)] = None,
    max_trainings: Annotated[int | None, typer.Option(min=1, help=_TRAININGS)] = None,
    within: Annotated[str | None, typer.Option(metavar="DURATION", help=_WITHIN)] = None,
    requests: Annotated[int, typer.Option(min=1, help="Maximum number of requests, the same for all.")] = 2_000,
    validation: Annotated[
        bool, typer.Option("--validation", help="Evaluate on the events before the test, to tune by.")
    ] = False,
    tune: Annotated[str | None, typer.Option(metavar="DURATION", help=_TUNE)] = None,
    no_replay: Annotated[bool, typer.Option("--no-replay", help=_NO_REPLAY)] = False,
    markdown: Annotated[Path | None, typer.Option(help="Also write the tables to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write a report with plots to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Compare an app's retrievers, rankers and feeds with popularity, on later events of its users.

    Example: `homefeed evaluate streaming --html report.html`

    Example: `homefeed evaluate my/recipe.toml --feed home --feed home_learned --validation`

    Example: `homefeed evaluate streaming --tune 10m`

    Example: `homefeed evaluate community --retrain 7d --within 1h --json`

    Example: `homefeed evaluate streaming --split user --share 0.1 --json`

    Example: `homefeed evaluate shop/recipe.toml --split basket --repeats`
    """
    options: dict[str, Any] = {"split": split, "share": share, "revealed": revealed, "last": last}
    options |= {"basket_minutes": basket_minutes, "repeats": repeats}
    options |= {"retrain": retrain, "max_trainings": max_trainings, "within": within}
    options |= {"requests": requests, "validation": validation, "no_replay": no_replay}
    budget = None if tune is None else budget_of(tune)
    _check_files(markdown, html)
    settings, recipe = settings_in_force(), recipe_of(app)
    protocol = _protocol(settings.seed, **options)
    feeds = tuple(feed or [recipe.home or "home"])
    result = evaluated(settings, recipe, as_json, budget, feeds=feeds, baseline=baseline, protocol=protocol)
    if markdown is not None:
        markdown.write_text(result.comparison.to_markdown(), encoding="utf-8")
    if html is not None:
        command = _command(app, {"feed": feeds, "baseline": baseline, **options, "tune": tune, "html": html})
        html.write_text(_report(result, command), encoding="utf-8")
    if not as_json:
        _show_verdicts(result)
    _warn(result)
    for name, why in result.rankers.items():
        err.print(f"{name}: learned ranker {why}", highlight=False, markup=False)
    for sentence in format_blend(result.tuning):
        err.print(sentence, highlight=False, markup=False)
    if as_json:
        print_json(result.to_json(_user_ids(settings, result)))
    else:
        _show(result)
    for file in (markdown, html):
        if file is not None:
            print_written(file)


def _user_ids(settings: Settings, result: Evaluation) -> dict[int, str]:
    from homefeed.store.users import user_ids

    return on_store(settings, lambda store: user_ids(store, result.app, result.found.by_user.numbers))


def evaluated(
    settings: Settings, recipe: Recipe, quiet: bool, budget: Budget | None = None, **options: Any
) -> Evaluation:
    """Evaluate an app with a progress bar, by the options of `evaluate_app`; with a budget, tuned first."""
    from homefeed.dataset.log import read_log
    from homefeed.engine import text_model_of, with_text_model
    from homefeed.environment import system_clock
    from homefeed.evaluate.offline import evaluate_app

    with progress(quiet) as report:

        async def work(store: Store) -> Evaluation:
            log = await read_log(
                store,
                recipe,
                now=system_clock(),
                seed=settings.seed,
                progress=lambda done, total: report("reading events", done, total),
            )
            configured = with_text_model(recipe, text_model_of(settings.text_model))
            if budget is not None:
                configured, options["settings"] = _tuned(configured, log, options["protocol"], budget, report)
            tuned = budget is not None
            return evaluate_app(configured, log.catalog, log.data, tune_blend=tuned, progress=report, **options)

        return on_store(settings, work)


def _tuned(
    recipe: Recipe, log: LogData, protocol: Protocol, budget: Budget, report: Report
) -> tuple[Recipe, dict[str, RetrieverNumbers]]:
    """The recipe with the values that serve the events before the test best, and by feed those of retrievers."""
    from homefeed.train import divided, settings_facts, settings_of, tune, tune_settings, with_tuned

    past = protocol.divide(protocol.judged_by(log.data.interactions)).train
    data = replace(log.data, interactions=past)
    of_models, of_retrievers = divided(budget)
    tunings = tune(recipe, log.catalog, data, of_models, report, blend=True)
    for tuning in tunings:
        err.print(format_model(tuning.model, tuning.facts, kept=False), highlight=False, markup=False)
    tuned = with_tuned(recipe, tunings)
    found = tune_settings(tuned, log.catalog, data, of_retrievers, report)
    for sentence in format_blend(settings_facts(found)):
        err.print(sentence, highlight=False, markup=False)
    return tuned, settings_of(found, {})


def _check_files(markdown: Path | None, html: Path | None) -> None:
    """Fail before the work, not at its end."""
    for option, path in (("--markdown", markdown), ("--html", html)):
        if path is not None and not path.parent.is_dir():
            raise InvalidError(f"{option}: no such folder: {path.parent}")
    if html is not None:
        from homefeed.evaluate.plots import check_matplotlib

        check_matplotlib()


def _protocol(
    seed: int,
    *,
    split: Split,
    share: float | None,
    revealed: float | None,
    last: int | None,
    basket_minutes: int | None,
    repeats: bool,
    retrain: str | None,
    max_trainings: int | None,
    within: str | None,
    requests: int,
    validation: bool,
    no_replay: bool,
) -> Protocol:
    from homefeed.evaluate.protocol import Protocol
    from homefeed.times import parse_duration

    for option, value, splits in (
        ("--share", share, ("rolling", "time", "user", "basket", "last")),
        ("--revealed", revealed, ("time", "user")),
        ("--last", last, ("last",)),
        ("--basket-minutes", basket_minutes, ("basket",)),
        ("--retrain", retrain, ("rolling",)),
        ("--max-trainings", max_trainings, ("rolling",)),
        ("--within", within, ("rolling",)),
    ):
        if value is not None and split not in splits:
            raise InvalidError(f"{option} is for --split {' or '.join(splits)}; leave it out with --split {split}")
    chosen: dict[str, Any] = {_SHARES.get(split, ""): share, "revealed_share": revealed, "last": last}
    chosen |= {"repeats": repeats, "basket_minutes": basket_minutes, "max_trainings": max_trainings}
    chosen |= {"horizon": None if within is None else parse_duration(within)}
    chosen |= {"retrain": retrain if retrain in (None, "never") else parse_duration(retrain)}
    given = {name: value for name, value in chosen.items() if value is not None}
    return Protocol(
        split=split, max_requests=requests, seed=seed, validation=validation, replay=not no_replay, **given
    )


def _command(app: str, options: dict[str, Any]) -> str:
    """The command line that repeats this run; defaults are left out."""
    parts = ["homefeed", "evaluate", app]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, tuple):
            parts += [part for one in value for part in (option, one)]
        elif value is True:
            parts.append(option)
        elif value is not None and value is not False:
            parts += [option, str(value)]
    return shlex.join(parts)


def _report(result: Evaluation, command: str) -> str:
    from homefeed import __version__
    from homefeed.environment import system_clock
    from homefeed.evaluate.report import render_report

    return render_report(result, command=command, made=system_clock(), version=__version__)


def _show_verdicts(result: Evaluation) -> None:
    for verdict in result.found.verdicts:
        style = "bold red" if verdict.behind else "bold" if verdict.level else "bold green"
        out.print(verdict.sentence(result.app), style=style, markup=False, highlight=False)


def _show(result: Evaluation) -> None:
    used = result.used
    out.print(result.comparison.to_rich())
    for check in result.served:
        out.print(check.sentence(), style="" if check.is_clean else "bold yellow", markup=False, highlight=False)
    out.print(
        f"{used.train_events:,} training events, {used.requests:,} requests of {used.test_users:,} users, "
        f"{used.trainings:,} {'training' if used.trainings == 1 else 'trainings'}, all {used.items:,} items "
        "ranked."
    )
    if result.protocol.repeats:
        out.print(f"{used.repeated_targets:,} of {used.targets:,} target items are in the user's history.")


def _warn(result: Evaluation) -> None:
    """Report on standard error what makes the figures unreliable."""
    for leak in result.leaks:
        err.print(f"Leak: {printable(leak.name)}", style="bold red", markup=False, highlight=False)
        err.print(printable(leak.why), style="red", markup=False, highlight=False)
    for failure in result.failures:
        text = f"{failure.part} failed in {failure.requests:,} requests, first with {failure.error}"
        err.print(f"Failed: {printable(text)}", style="yellow", markup=False, highlight=False)
