"""init: from a folder of files to an app."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from homefeed.cli.common import Json, err, out, print_json, printable, recipe_of, settings_in_force
from homefeed.cli.data import imported
from homefeed.cli.settings_file import SETTINGS_FILE, add_app, with_app
from homefeed.errors import DataError, InvalidError

if TYPE_CHECKING:
    from homefeed.ingest import DataReport
    from homefeed.propose import Proposal, Sample
    from homefeed.propose.kinds import Kind

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_EXAMPLE: Final = 30


def register(cli: typer.Typer) -> None:
    """Add this command."""
    cli.command()(init)


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The app's name: lower-case letters, digits and _.")],
    place: Annotated[
        Path,
        typer.Option("--from", help="Folder, zip file or single file of users, items and events, of any names."),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is proposed.")] = False,
    no_import: Annotated[bool, typer.Option("--no-import", help="Write the recipe alone.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over the recipe that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Make an app of a folder of files: propose a recipe, name it in homefeed.toml, import the files.

    Files are CSV, TSV, JSON Lines, Parquet or Excel, also gzipped or in a zip file. What each file and column is
    taken for is told, and why; the recipe says it again in comments, to be changed.

    Example: `homefeed init news --from export`

    Example: `homefeed init shop_de --from export.zip --yes`
    """
    from homefeed.ingest import unpacked
    from homefeed.propose import read_samples

    recipe_file = _checked(name, force)
    if not yes and (as_json or not _is_terminal()):
        raise InvalidError(
            "init asks whether its proposal is right, and there is no terminal to answer: add --yes"
        )
    settings = settings_in_force()
    with unpacked(place) as folder:
        samples, others = read_samples(folder)
        proposal = _agreed(name, samples, others, yes, as_json)
        if yes and not no_import:
            _refuse_suspects(proposal)
        _write(recipe_file, proposal.text)
        recipe = recipe_of(str(recipe_file))
        report = None if no_import else imported(settings, recipe, proposal.imports, as_json)
    if as_json:
        print_json(_as_json(proposal, others, recipe_file, report))
    else:
        _tell(proposal, recipe_file, place, report)


def _refuse_suspects(proposal: Proposal) -> None:
    """Where nobody looks, an app is not made without the events that its files seem to have.

    Raises:
        DataError: a file looks like events but is not used; the text says why.
    """
    if proposal.suspects:
        raise DataError(
            f"{proposal.suspects[0]}; it looks like events. Give its columns those names, or write the recipe "
            "alone with --no-import"
        )


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _checked(name: str, force: bool) -> Path:
    """Where the recipe will be, and that it may.

    Raises:
        InvalidError: the name is none, or taken.
    """
    from homefeed.apps import built_in

    if not _NAME.fullmatch(name):
        raise InvalidError(
            f'"{name}" is no name of an app: expected lower-case letters, digits and _, such as my_news'
        )
    if name in built_in():
        raise InvalidError(f"{name} is a ready-made app; choose another name, such as my_{name}")
    folder = Path(name)
    if folder.exists() and not force:
        raise InvalidError(
            f"{folder} is there already; choose another name, or write over its recipe with --force"
        )
    if SETTINGS_FILE.exists():
        with_app(SETTINGS_FILE.read_text(encoding="utf-8"), name)
    return folder / "recipe.toml"


def _agreed(name: str, samples: list[Sample], others: list[tuple[str, str]], yes: bool, quiet: bool) -> Proposal:
    """What is proposed, shown, and changed until it is right."""
    from homefeed.propose import propose

    proposal = propose(name, samples)
    while True:
        if not quiet:
            _show(proposal, others)
        if yes or typer.confirm("Is this right?", default=True):
            return proposal
        proposal = propose(name, samples, dict(_asked(proposal)))


def _asked(proposal: Proposal) -> list[tuple[str, Kind]]:
    """What each file is, as somebody says."""
    kinds: dict[str, Kind] = {"users": "users", "items": "items", "events": "events", "nothing": "nothing"}
    said: list[tuple[str, Kind]] = []
    for file in proposal.files:
        guess = file.kind.split(" ")[0]
        answer = ""
        while answer not in kinds:
            answer = typer.prompt(f"{file.name} holds (users, items, events or nothing)", default=guess).strip()
        said.append((file.name, kinds[answer]))
    return said


def _write(recipe_file: Path, text: str) -> None:
    recipe_file.parent.mkdir(exist_ok=True)
    recipe_file.write_text(text, encoding="utf-8")
    add_app(recipe_file.as_posix())


def _show(proposal: Proposal, others: list[tuple[str, str]]) -> None:
    """A table for each file: its columns, what they are taken for, and some of their cells."""
    from rich.markup import escape
    from rich.table import Table

    for file in proposal.files:
        unused = f"not used: {escape(printable(file.why))}" if file.why else "not used"
        what = unused if file.kind == "nothing" else file.kind
        title = f"{escape(printable(file.name))}: {what}, about {file.rows:,} rows"
        table = Table(title=title, title_justify="left", expand=True)
        table.add_column("column", overflow="fold", ratio=3)
        table.add_column("taken for", style="cyan", ratio=3)
        table.add_column("why", ratio=5)
        table.add_column("for example", no_wrap=True, overflow="ellipsis", style="dim", ratio=6)
        for each in file.columns if file.kind != "nothing" else ():
            examples = ", ".join(printable(cell)[:_EXAMPLE] for cell in each.examples)
            table.add_row(*(escape(printable(cell)) for cell in (each.column, each.taken_for, each.why, examples)))
        out.print(table if table.row_count else table.title)
    for name, why in others:
        out.print(f"{escape(printable(name))}: not read: {escape(printable(why))}", style="dim")


def _tell(proposal: Proposal, recipe_file: Path, place: Path, report: DataReport | None) -> None:
    """What was written, the data report, and what to do next."""
    from homefeed.ingest import render_report

    feeds = ", ".join(proposal.feeds)
    lines = [f"Wrote {recipe_file}, an app with the feeds {feeds}; {SETTINGS_FILE} names it."]
    lines += [f"No feed {feed}: {why}." for feed, why in proposal.left_out.items()]
    for line in [*lines, *proposal.notes]:
        out.print(line, markup=False, highlight=False)
    if "HOMEFEED_APPS" in os.environ:
        err.print(
            f"HOMEFEED_APPS is set: its apps are served, not those of {SETTINGS_FILE}; add {recipe_file} there."
        )
    if report is not None:
        out.print(render_report(report))
    steps = [f"homefeed train {proposal.app}", "homefeed serve"]
    if report is None:
        steps.insert(0, f"homefeed import {proposal.app} {place}")
    out.print("Next:")
    for step in steps:
        out.print(f"  {step}", markup=False, highlight=False)


def _as_json(
    proposal: Proposal, others: list[tuple[str, str]], recipe_file: Path, report: DataReport | None
) -> dict[str, Any]:
    return {
        **proposal.to_json(),
        "not_read": [{"file": name, "why": why} for name, why in others],
        "recipe": recipe_file.as_posix(),
        "settings": SETTINGS_FILE.as_posix(),
        "report": None if report is None else report.to_json(),
    }
