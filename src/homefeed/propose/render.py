"""The text of a recipe, with comments that say why each line is so and what else one may write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homefeed.propose.feeds import FeedText, feeds_of, models_of, reasons_of, seen_of
from homefeed.propose.fields import YES_OR_NO, Role, yes_of
from homefeed.propose.kinds import Table
from homefeed.propose.plan import Plan
from homefeed.propose.toml import comment, key, written
from homefeed.propose.types import EventType

_KINDS = {
    "text": "words",
    "category": "one of some values",
    "tags": "several values",
    "number": "a number",
    "time": "a time",
    "location": "latitude and longitude",
}


def render_recipe(plan: Plan) -> tuple[str, list[FeedText], dict[str, str]]:
    """The text of `recipe.toml`, its feeds, and those that are left out, each with why."""
    has_events = plan.files.events is not None
    feeds, left_out = feeds_of(plan)
    sections: list[Sequence[str]] = [
        list(_top(plan)),
        list(_items(plan)),
        list(_users(plan)),
        list(_events(plan)),
        list(_signals(plan)),
        *(list(section) for section in _sources(plan)),
        models_of(plan, has_events),
        reasons_of(plan, has_events),
        seen_of(plan),
        *(feed.lines for feed in feeds),
        [f"# No feed `{name}`: {why}." for name, why in left_out.items()],
    ]
    return "\n\n".join("\n".join(map(_line, lines)) for lines in sections if lines) + "\n", feeds, left_out


def _line(line: str) -> str:
    """A line: comments tell names of columns and files, which may hold anything."""
    return comment(line) if line.startswith("#") else line


def _top(plan: Plan) -> Iterator[str]:
    files = [table for table in (plan.files.items, plan.files.users, plan.files.events) if table is not None]
    names = dict.fromkeys(table.sample.path.name for table in files)
    yield f"# Proposed by `homefeed init` from {', '.join(names)}. It is yours: change what you like."
    yield "# docs/own-app.md tells what each key means and which others there are; an unknown key is refused."
    yield f"# After a change: `homefeed import` (sources), `homefeed train {plan.app}` (models), a restart."
    yield ""
    yield f"app = {written(plan.app)}"
    yield f"title = {written(plan.app.replace('_', ' ').capitalize())}"
    for note in plan.notes:
        yield f"# {note}"


def _items(plan: Plan) -> Iterator[str]:
    yield "# The catalogue. Declared fields are what parts compute with and requests filter by;"
    yield "# other columns are stored and shown. Kinds: text, category, tags, number, time, location."
    yield "[items]"
    if plan.title is None:
        yield "# No column names items to people: reasons call them by their ids. If you get one, declare it here."
    elif plan.title != "title":
        yield f"title = {written(plan.title)}    # what names an item to people"
    if plan.creator is not None:
        yield f"creator = {written(plan.creator)}    # the user who made the item: nobody is shown their own"
    if plan.group is not None:
        yield f"group = {written(plan.group)}    # of the variants of a product a list has one"
    yield "[items.fields]"
    if plan.title is None:
        yield 'title = "text"'
    yield from _fields(plan.items)
    for role in plan.items:
        if role.why == YES_OR_NO and plan.files.items is not None:
            yes = yes_of(plan.files.items.columns[role.columns[0]])
            yield f"# To show only what is {role.name}, write under [feeds.home], and under other feeds:"
            yield f"# filter.having = {{ field = {written(role.name)}, values = [{written(yes)}] }}"


def _users(plan: Plan) -> Iterator[str]:
    if any(role.kind is not None for role in plan.users):
        yield "# The users. Parts compute with these, too: `match`, `interests`, `isolation` in docs/own-app.md."
        yield "[users.fields]"
        yield from _fields(plan.users)


def _fields(roles: Sequence[Role]) -> Iterator[str]:
    for role in roles:
        if role.kind is None:
            continue
        shown = "" if role.columns == (role.name,) else f"{' and '.join(role.columns)}: "
        yield f'{key(role.name)} = "{role.kind}"    # {comment(shown + (role.why or _KINDS[role.kind]))}'


def _events(plan: Plan) -> Iterator[str]:
    yield "# What users do. `weight` is how much it says about taste: below 0 it is a dislike, which hides the"
    yield "# item and pushes away what is like it; 0 counts for nothing."
    yield '# `verb` is for reasons: "Because you {verb} ...".'
    if any(each.full for each in plan.events.types):
        yield '# `full`: the value from which an event counts whole, below it proportionally; "typical": by item.'
    for each in plan.events.types:
        yield from _event(each, plan.events.min_value)


def _event(each: EventType, min_value: float | None) -> Iterator[str]:
    if not each.known:
        yield "# It is not known here what this says about taste: its weight is a guess. Edit it, and the verb."
    yield f"[events.{each.name}]"
    if each.about_query:
        yield 'about = "query"    # a search: it has words in place of an item'
    if each.meaning.weight != 1 or not each.known:
        yield f"weight = {each.meaning.weight:g}"
    yield f"verb = {written(each.meaning.verb)}"
    if each.full is not None and each.meaning.weight > 0:
        yield f"full = {each.full}"
    if min_value is not None and each.meaning.weight > 0:
        yield f"min_value = {min_value:g}    # fewer, such as what was given back, are refused"


def _signals(plan: Plan) -> Iterator[str]:
    days = plan.events.trending_half_life_days
    yield "# A trend halves in so many days. Chosen by how much happens in them: more events allow for fewer days."
    yield "[signals]"
    yield f"trending_half_life_days = {days}"
    if any(each.full == '"typical"' for each in plan.events.types):
        yield f"full_default = {plan.events.typical or 60:g}    # the typical value while there are no events"


def _sources(plan: Plan) -> Iterator[Iterator[str]]:
    files = plan.files
    if files.users is not None:
        optional = [role.name for role in plan.users if role.filled < 1 and _is_read(role)]
        yield _source("users", files.users, _of_roles(plan.users), optional, join=files.users_of_events)
    if files.items is not None:
        optional = [role.name for role in plan.items if role.filled < 1 and _is_read(role)]
        if plan.title is None:
            optional.append("title")
        yield _source("items", files.items, _of_roles(plan.items), optional, join=files.items_of_events)
    if files.events is not None:
        columns = {name: spec for name, spec in plan.events.columns.items() if spec != name}
        value = plan.events.columns.get("value")
        gaps = isinstance(value, str) and files.events.columns[value].filled < 1
        yield _source("events", files.events, columns, ["value"] if gaps else [])


def _is_read(role: Role) -> bool:
    return role.kind is not None or role.name in {"created_at", "hidden"}


def _of_roles(roles: Sequence[Role]) -> dict[str, Any]:
    """What is written of columns that have another name, or are read in their own way."""
    columns: dict[str, Any] = {}
    for role in roles:
        if role.kind is None and role.name not in {"item_id", "user_id", "created_at", "hidden"}:
            continue
        if len(role.columns) == 2:
            columns[role.name] = list(role.columns)
        elif role.column:
            columns[role.name] = {"column": role.columns[0], **role.column}
        elif role.columns[0] != role.name:
            columns[role.name] = role.columns[0]
    return columns


def _source(
    kind: str, table: Table, columns: Mapping[str, Any], optional: Sequence[str], *, join: bool = False
) -> Iterator[str]:
    source = table.sample.source
    yield f"# How the file of {kind} is read: Homefeed's name = the column of the file, or how its cells are read."
    yield f"[sources.{kind}]"
    yield f"file = {written(table.sample.path.name)}"
    if source.sheet is not None:
        yield f"sheet = {written(source.sheet)}"
    if source.delimiter is not None:
        yield f"delimiter = {written(source.delimiter)}"
    if source.encoding != "utf-8":
        yield f"encoding = {written(source.encoding)}    # a guess; others are latin-1, cp1250, ..."
    if source.header:
        yield f"header = {written(list(source.header))}    # the file has no names: give them better ones"
    if join:
        yield f"join = true    # a row for each event: what they say of one {kind[:-1]} is put together"
    if optional:
        yield f"optional = {written(list(optional))}    # empty in some rows: no warning"
    if kind == "events":
        yield 'unknown_users = "create"    # events of users that no file names; "reject" refuses them'
    if columns:
        yield f"[sources.{kind}.columns]"
        for name, spec in columns.items():
            yield f"{key(name)} = {written(spec)}"
