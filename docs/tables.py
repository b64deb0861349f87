"""Writes the tables of settings that stand in the documents, from the declarations and the parts: `make docs`.

A table stands between `<!-- settings: NAME -->` and `<!-- end -->`; NAME is a key of `TABLES`. What a setting
means is the docstring below its field, what a part does the first paragraph of its class's docstring; values and
defaults are those of the annotations.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from homefeed.recipe import (
    Column,
    Declarations,
    EventType,
    Feed,
    Goal,
    ItemEntity,
    Job,
    Kind,
    RetrieverUse,
    Signals,
    Source,
    UserEntity,
    find_part,
    part_names,
)
from homefeed.recipe.declaration import Impressions
from homefeed.recipe.entities import NearDuplicates
from homefeed.recipe.privacy import Isolation, Privacy
from homefeed.sizing import COEFFICIENTS, Coefficients, coefficient_rows

DOCS: Final = Path(__file__).parent

Schema: TypeAlias = Mapping[str, Any]
Row: TypeAlias = tuple[str, ...]

_REGION: Final = re.compile(r"(<!-- settings: (?P<name>[\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def declaration_table(declared: type[BaseModel]) -> list[Row]:
    """The keys of a table of a recipe."""
    return [("key", "values", "default", "meaning"), *_settings(declared)]


def parts_table(kind: Kind) -> list[Row]:
    """The parts of a kind that come with Homefeed, each with its settings."""
    rows: list[Row] = [("part", "setting", "values", "default", "meaning")]
    for name, part in built_in_parts(kind):
        rows.append((f"`{name}`", "", "", "", _summary(part)))
        rows += [("", *row) for row in _settings(part.Config, nested=True)]
    return rows


def coefficients_table(coefficients: Coefficients) -> list[Row]:
    """What `homefeed size` goes by."""
    rows: list[Row] = [("coefficient", "value", "meaning", "measured by")]
    for name, each in coefficient_rows(coefficients):
        value = f"{each.value:,g}" if each.value < 1_000 else f"{each.value:,.0f}"
        by = f"`python -m benchmarks.{each.benchmark}`" if each.benchmark else ""
        rows.append((f"`{name}`", f"{value} {each.unit}".strip(), each.meaning, by))
    return rows


def built_in_parts(kind: Kind) -> Iterator[tuple[str, type[Any]]]:
    """The parts of a kind that come with Homefeed, by name; plug-ins are not among them."""
    for name in part_names(kind):
        part = find_part(kind, name)
        if part.__module__.startswith("homefeed."):
            yield name, part


TABLES: Final[Mapping[str, partial[list[Row]]]] = {
    "recipe": partial(declaration_table, Declarations),
    "items": partial(declaration_table, ItemEntity),
    "items.near_duplicates": partial(declaration_table, NearDuplicates),
    "users": partial(declaration_table, UserEntity),
    "events": partial(declaration_table, EventType),
    "signals": partial(declaration_table, Signals),
    "goal": partial(declaration_table, Goal),
    "impressions": partial(declaration_table, Impressions),
    "isolation": partial(declaration_table, Isolation),
    "privacy": partial(declaration_table, Privacy),
    "jobs": partial(declaration_table, Job),
    "feeds": partial(declaration_table, Feed),
    "parts": partial(declaration_table, RetrieverUse),
    "sources": partial(declaration_table, Source),
    "sources.columns": partial(declaration_table, Column),
    "retrieve": partial(parts_table, "retrieve"),
    "filter": partial(parts_table, "filter"),
    "features": partial(parts_table, "features"),
    "rank": partial(parts_table, "rank"),
    "rerank": partial(parts_table, "rerank"),
    "models": partial(parts_table, "model"),
    "sizing": partial(coefficients_table, COEFFICIENTS),
}


def documents() -> list[Path]:
    """The documents that hold tables of settings."""
    return [path for path in sorted(DOCS.rglob("*.md")) if _REGION.search(path.read_text(encoding="utf-8"))]


def table_names(text: str) -> list[str]:
    """Which tables a document holds."""
    return [region["name"] for region in _REGION.finditer(text)]


def with_tables(text: str) -> str:
    """The document with its tables as they are to be.

    Raises:
        KeyError: there is no table of a name.
    """
    return _REGION.sub(lambda region: region[1] + _markdown(TABLES[region["name"]]()) + region[3], text)


def values_of(schema: Schema) -> str:
    """What a JSON schema allows, in words: "integer from 1 to 1,000"."""
    return _values(schema, plural=False)


def _settings(model: type[BaseModel], prefix: str = "", *, nested: bool = False) -> Iterator[Row]:
    """A row for each field; with `nested`, the fields of the tables that it holds come after it, by their path."""
    schemas = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        yield f"`{prefix}{name}`", values_of(schemas[name]), _default(field), _line(field.description or "")
        inner = _model_in(field.annotation) if nested else None
        if inner is not None:
            each = "" if get_origin(field.annotation) in (list, tuple) else "NAME."
            yield from _settings(inner, f"{prefix}{name}.{each}", nested=True)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, or a table of."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _summary(part: type[Any]) -> str:
    return _line(inspect.cleandoc(part.__doc__ or "").split("\n\n")[0])


def _line(text: str) -> str:
    return " ".join(text.split())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "`{}`"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _values(schema: Schema, *, plural: bool) -> str:
    many = "s" if plural else ""
    if "anyOf" in schema:
        words = _either(_values(kind, plural=plural) for kind in schema["anyOf"] if kind.get("type") != "null")
    elif "enum" in schema or "const" in schema:
        words = _either(
            "`false`" if value is False else f'`"{value}"`' for value in schema.get("enum", [schema.get("const")])
        )
    elif schema.get("type") == "boolean":
        words = "`true` or `false`"
    elif schema.get("type") in {"integer", "number"}:
        words = f"{schema['type']}{many}{_bounds(schema)}"
    elif schema.get("type") == "string":
        words = ("name" if "pattern" in schema else "text") + many
    elif schema.get("type") == "array":
        words = f"list{many} of {_of_list(schema)}"
    else:
        words = f"table{many}{_of_table(schema)}"
    return words


def _of_list(schema: Schema) -> str:
    """What a list is to hold: a number of elements, or any number of them of one kind."""
    elements = schema.get("prefixItems", [])
    if elements:
        return f"{len(elements)} {_values(elements[0], plural=len(elements) > 1)}"
    return f"{_count(schema.get('minItems'))}{_values(schema['items'], plural=True)}"


def _of_table(schema: Schema) -> str:
    """What a table is to hold: nothing is said of one that is described in a place of its own."""
    patterns = list(schema.get("patternProperties", {}).values())
    of = patterns[0] if patterns else schema.get("additionalProperties")
    if not isinstance(of, Mapping):
        return ""
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least == most == 1:
        return f" of exactly one {_values(of, plural=False)}"
    return f" of {_count(least)}{_values(of, plural=True)}"


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _bounds(schema: Schema) -> str:
    kinds = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    bounds = {kind: f"{schema[kind]:,}".removesuffix(".0") for kind in kinds if kind in schema}
    if bounds.keys() == {"minimum", "maximum"}:
        return f" from {bounds['minimum']} to {bounds['maximum']}"
    words = [f"{kinds[kind]} {bound}" for kind, bound in bounds.items()]
    return f" {' and '.join(words)}" if words else ""


def _count(least: int | None) -> str:
    return "" if least is None else f"{'one' if least == 1 else least} or more "


def _markdown(rows: Sequence[Row]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join("|" + "".join(f" {_cell(cell)}|" for cell in line) + "\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|") + " " if text else ""


def main() -> None:
    """Write every table, and name the documents that changed."""
    for path in documents():
        before = path.read_text(encoding="utf-8")
        after = with_tables(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"written: {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
