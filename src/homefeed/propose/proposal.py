"""A proposal: the recipe for some files, and what each file and column is taken for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from homefeed.catalog import Exposures
from homefeed.engine import build_feeds, counters_of, empty_catalog, resources_of
from homefeed.errors import InvalidError
from homefeed.ingest import Files as ImportFiles
from homefeed.propose.fields import Role
from homefeed.propose.kinds import Kind, Table
from homefeed.propose.plan import Plan, plan_of
from homefeed.propose.reading import Sample
from homefeed.propose.render import render_recipe
from homefeed.recipe import Recipe, parse_recipe


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column for people: what it is taken for, why, and some of its cells."""

    column: str
    taken_for: str
    why: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileView:
    """A file for people; `why` it is not used, where it is not."""

    name: str
    kind: str
    rows: int
    columns: tuple[ColumnView, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A recipe that loads and builds, its text, the files to import by it, and how it came about.

    `suspects` are files that look like events but are not used, each with why.
    """

    app: str
    text: str
    recipe: Recipe
    imports: ImportFiles
    files: tuple[FileView, ...]
    feeds: tuple[str, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    suspects: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "app": self.app,
            "files": [
                {
                    "file": file.name,
                    "kind": file.kind,
                    "why": file.why,
                    "rows": file.rows,
                    "columns": [
                        {
                            "column": each.column,
                            "taken_for": each.taken_for,
                            "why": each.why,
                            "examples": list(each.examples),
                        }
                        for each in file.columns
                    ],
                }
                for file in self.files
            ],
            "feeds": list(self.feeds),
            "left_out": dict(self.left_out),
            "notes": list(self.notes),
        }


def propose(app: str, samples: Sequence[Sample], kinds: Mapping[str, Kind] | None = None) -> Proposal:
    """A recipe for the files, of which `kinds` may say what some are, by their names.

    Raises:
        InvalidError: `kinds` names a file that is not there.
        DataError: no file tells of items, or events have no times; the text says what is missing.
        RecipeError: the recipe cannot be built, which is a fault of this function.
    """
    names = {sample.name for sample in samples}
    for name in kinds or {}:
        if name not in names:
            raise InvalidError(f'no file "{name}"; there are: {", ".join(sorted(names))}')
    tables = [Table.of(sample) for sample in samples]
    plan = plan_of(app, tables, kinds)
    text, feeds, left_out = render_recipe(plan)
    recipe = parse_recipe(tomllib.loads(text), f"{app}/recipe.toml")
    catalog = empty_catalog(recipe)
    build_feeds(recipe, resources_of(recipe, catalog, counters_of(recipe, catalog), {}, exposures=Exposures()))
    paths = (
        None if table is None else table.sample.path
        for table in (plan.files.users, plan.files.items, plan.files.events)
    )
    return Proposal(
        app=app,
        text=text,
        recipe=recipe,
        imports=ImportFiles(*paths),
        files=tuple(_view(plan, table) for table in tables),
        feeds=tuple(feed.name for feed in feeds),
        left_out=left_out,
        notes=plan.notes,
        suspects=tuple(f"{name}: {plan.unused[name]}" for name in plan.suspects),
    )


def _view(plan: Plan, table: Table) -> FileView:
    kinds = [kind for kind in ("events", "items", "users") if getattr(plan.files, kind) is table]
    told = dict(_told(plan, table))
    nothing = ColumnView("", "not used", "nothing of users, items or events is known to be in it", ())
    columns = tuple(
        replace(told.get(name, nothing), column=name, examples=profile.examples)
        for name, profile in table.columns.items()
    )
    return FileView(
        table.name, " and ".join(kinds) or "nothing", table.sample.rows, columns, plan.unused.get(table.name, "")
    )


def _told(plan: Plan, table: Table) -> Iterator[tuple[str, ColumnView]]:
    if plan.files.users is table:
        yield from _of_roles(plan.users)
    if plan.files.items is table:
        yield from _of_roles(plan.items)
    if plan.files.events is table:
        for column, (name, why) in plan.events.taken.items():
            yield column, ColumnView(column, name, why, ())


def _of_roles(roles: Sequence[Role]) -> Iterator[tuple[str, ColumnView]]:
    for role in roles:
        taken = role.what if role.kind is None or role.what == role.kind else f"{role.what} ({role.kind})"
        for column in role.columns:
            yield column, ColumnView(column, role.name if role.what == "id" else taken, role.why, ())
