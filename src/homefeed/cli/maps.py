"""Maps: map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from homefeed.cli.common import (
    AppName,
    Json,
    on_store,
    out,
    print_json,
    printable,
    progress,
    recipe_of,
    settings_in_force,
)
from homefeed.errors import InvalidError

if TYPE_CHECKING:
    from homefeed.maps.layers import MapData

_PLACE = "The category field that names where items are, such as a city; by default what the part nearby goes by."
_CATEGORY = (
    "The category field that items are coloured by; by default that of signals.full_group, else the first "
    "with 2 to 100 values."
)


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command("map")(map_app)


def map_app(
    app: AppName,
    html: Annotated[Path | None, typer.Option(help="Write the map to this file.")] = None,
    place: Annotated[str | None, typer.Option(metavar="FIELD", help=_PLACE)] = None,
    category: Annotated[str | None, typer.Option(metavar="FIELD", help=_CATEGORY)] = None,
    as_json: Json = False,
) -> None:
    """Draw where an app's items and users are, as one page that needs no network; `--json` prints the counts.

    Items are coloured by category and sized by how many events they have. Users are shown without their ids and
    within a kilometre of where they are. Up to 100,000 of each are drawn, all are counted.

    Example: `homefeed map live --html map.html`

    Example: `homefeed map live --category language --html map.html`

    Example: `homefeed map my/recipe.toml --json`
    """
    if html is None and not as_json:
        raise InvalidError("nothing to do: give --html FILE for the page, --json for the counts, or both")
    if html is not None and not html.parent.is_dir():
        raise InvalidError(f"--html: no such folder: {html.parent}")
    found = _read(app, as_json, places=place, categories=category)
    if html is not None:
        html.write_text(_page(found), encoding="utf-8")
    if as_json:
        print_json(found.to_json() | ({} if html is None else {"html": str(html)}))
        return
    out.print(printable(_sentence(found, html)), highlight=False, markup=False)


def _read(app: str, quiet: bool, **options: Any) -> MapData:
    from homefeed.environment import system_clock
    from homefeed.maps.reading import read_map

    settings, recipe = settings_in_force(), recipe_of(app)
    with progress(quiet) as report:
        return on_store(
            settings,
            lambda store: read_map(
                store,
                recipe,
                now=system_clock(),
                progress=lambda done, total: report("reading events", done, total),
                **options,
            ),
        )


def _page(found: MapData) -> str:
    from homefeed import __version__
    from homefeed.environment import system_clock
    from homefeed.maps.page import render_map

    return render_map(found, made=system_clock(), version=__version__)


def _sentence(found: MapData, html: Path | None) -> str:
    nowhere = f"{found.items.nowhere:,} items and {found.users.nowhere:,} users have no location."
    return (
        f"{len(found.items):,} items and {len(found.users):,} users in {len(found.places()):,} places: {html}. "
        + (nowhere if found.items.nowhere or found.users.nowhere else "")
    ).strip()
