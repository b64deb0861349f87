"""Schedule: run the jobs of apps at their times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from homefeed.cli.common import Json, out, print_json
from homefeed.cli.naming import complete_app
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.train.schedule import Task


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(schedule)


def schedule(
    apps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="APPS",
            help="Apps by name, or paths of recipes; by default those of the settings.",
            autocompletion=complete_app,
        ),
    ] = None,
    once: Annotated[
        str | None,
        typer.Option(metavar="JOB", help="Run this job of all apps that have it now, and exit; 1 if one fails."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the jobs and their next times, and exit.")] = False,
    as_json: Json = False,
) -> None:
    """Run the jobs of the apps at their times, until SIGTERM or Ctrl+C; a running job is completed.

    The recipe declares an app's jobs and their times under `[jobs]`. They run one after another. One that was due
    while no schedule ran is run at once, and one whose app another process trains is tried again each minute.

    Example: `homefeed schedule`

    Example: `homefeed schedule shop --once hourly`

    Example: `homefeed schedule --list`
    """
    from homefeed.apps import find_recipes
    from homefeed.environment import system_clock
    from homefeed.log import configure_logging
    from homefeed.settings import load_settings
    from homefeed.train.schedule import find_missed, run_schedule, run_task, tasks_of, work_of

    if show and once is not None:
        raise InvalidError("--list shows the jobs and --once runs one: choose one of them")
    if as_json and not show:
        raise InvalidError("--json is for --list; jobs log in the format of the setting log_format")
    settings = load_settings()
    if not (apps or settings.apps):
        raise InvalidError("no app with jobs; name one, or set apps in homefeed.toml")
    tasks = tasks_of(find_recipes(apps or settings.apps, settings.recipes, settings.apps).values(), once)
    if show:
        _show(tasks, as_json)
        return
    configure_logging(settings.log_level, settings.log_format)
    work = work_of(settings)
    if once is not None:
        if [task for task in tasks if run_task(task, work) != "done"]:
            raise typer.Exit(1)
        return
    run_schedule(tasks, work, missed=find_missed(settings, tasks, system_clock()))


def _by_time(tasks: list[Task]) -> list[tuple[Task, str]]:
    """The tasks in the order in which they are due, and when each is."""
    from homefeed.environment import system_clock
    from homefeed.times import format_time

    now = system_clock()
    due = sorted(tasks, key=lambda task: task.job.next_time(now))
    return [(task, format_time(task.job.next_time(now))) for task in due]


def _show(tasks: list[Task], as_json: bool) -> None:
    from homefeed.times import format_duration

    rows: list[dict[str, Any]] = [
        {
            "app": task.recipe.app,
            "job": task.job.name,
            "every": format_duration(task.job.period),
            "models": list(task.job.models),
            "next": time,
        }
        for task, time in _by_time(tasks)
    ]
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table("app", "job", "every", "models", "next")
    for row in rows:
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else cell for cell in row.values()))
    out.print(table)
