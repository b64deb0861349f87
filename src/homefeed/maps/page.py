"""The map as one self-contained HTML file: a canvas with its data, and the counts as tables.

What comes from the data reaches the page as text that the template escapes, or as JSON in which nothing ends a
script; the policy of the page lets no other script run than its own, by its hash.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from markupsafe import Markup

from homefeed.maps.layers import Layer, MapData, Row
from homefeed.maps.projection import Flat, equal_earth, globe, graticule, land
from homefeed.pages import page_environment
from homefeed.times import format_time
from homefeed.types import SECOND

COLOURS: Final = 9
"""So many of the largest categories have a colour of their own; the others share one."""
_LONGEST: Final = 80
_UNIT: Final = 1_000_000
"""The radius of the globe that is projected, in units of the page: one is 6.4 m."""


def render_map(data: MapData, *, made: int, version: str) -> str:
    """The map as HTML; the same arguments give the same text.

    It shows the time `made`, in microseconds since 1970, and Homefeed's `version`.
    """
    places, categories = data.places(), data.categories()
    script = (resources.files(__package__) / "templates" / "map.js").read_text(encoding="utf-8")
    return (
        page_environment(__package__ or "")
        .get_template("map.html")
        .render(
            data=data,
            places=places,
            categories=categories,
            drawn={"items": len(data.items.drawn()), "users": len(data.users.drawn())},
            events=int(data.items.events.sum()),
            payload=Markup(_as_script(_payload(data, places, categories))),  # noqa: S704
            script=Markup(script),  # noqa: S704
            hashed=b64encode(sha256(script.encode()).digest()).decode(),
            made=format_time(made // SECOND * SECOND),
            version=version,
        )
    )


def _payload(data: MapData, places: Sequence[Row], categories: Sequence[Row]) -> dict[str, Any]:
    """What the script draws. Arrays are little-endian, in base64; points are x, y, x, y and so on."""
    items, users = data.items.drawn(), data.users.drawn()
    names = [row.name for row in categories[:COLOURS]]
    at = equal_earth(np.array([row.latitude for row in places]), np.array([row.longitude for row in places]))
    return {
        "items": {
            "points": _packed(_units(_flat(items)), "<i4"),
            "events": _packed(items.events, "<u4"),
            "categories": _packed(_codes(items.categories, names), "<u1"),
            "names": _packed(_codes(items.categories, distinct := sorted(set(items.categories))), "<u4"),
            "titles": [_short(title) for title in items.titles],
            "places": _packed(_codes(items.places, named := sorted(set(items.places))), "<u4"),
        },
        "users": {"points": _packed(_units(_flat(users)), "<i4")},
        "categories": [_short(name) for name in distinct],
        "place_names": [_short(name) for name in named],
        "colours": len(names),
        "places": [
            {"name": _short(row.name), "at": _units(where).tolist(), "size": row.items + row.users}
            for row, where in zip(places, at, strict=True)
        ],
        "globe": _lines([globe()])[0],
        "land": _lines(land()),
        "graticule": _lines(graticule()),
    }


def _as_script(value: Any) -> str:
    """JSON that ends no script element and begins no comment in one, whatever its texts hold."""
    text: str = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _flat(layer: Layer) -> Flat:
    return equal_earth(layer.latitudes, layer.longitudes)


def _units(flat: Flat) -> npt.NDArray[np.int64]:
    return np.rint(flat * _UNIT).astype(np.int64)


def _lines(lines: Iterable[Flat]) -> list[list[int]]:
    # To a thousandth of the radius, which is less than a pixel of the whole map.
    return [np.rint(line * 1_000).astype(np.int64).ravel().tolist() for line in lines]


def _codes(values: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """(n,) which of the names each value is; their number for others."""
    code_of = {name: code for code, name in enumerate(names)}
    return np.array([code_of.get(value, len(names)) for value in values], np.int64)


def _packed(values: npt.NDArray[np.int64], form: str) -> str:
    return b64encode(values.astype(form).tobytes()).decode()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
