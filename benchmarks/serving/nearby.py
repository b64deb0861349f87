"""What it costs to find the nearest items, by how many there are, and how many are eligible. Prints one JSON line.

    python -m benchmarks.serving.nearby --items 10000 100000 1000000

Nine items in ten lie about one of 1,000 cities, whose sizes follow Zipf's law, within some ten kilometres of its
centre, the others anywhere; requests come from where items are. `nearest_microseconds` are for the nearest 200, by
the share of items that is eligible, drawn at random; `checked` answers are what measuring the way to all items
finds. `moved` is the same while so many items are not where the tree has them, `change_microseconds` what it costs
to take over one change of the catalogue: of a place, or of something else. `rebuild_milliseconds` is a new tree,
beside the requests. `all_distances_microseconds` measures the way to every item, which is what a search without an
index costs, `scipy_microseconds` is `cKDTree.query` of all items, by their angle.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from homefeed.catalog import CatalogView
from homefeed.catalog.place_index import PlaceIndex
from homefeed.geo import Place, distances_between, unit_vectors
from homefeed.types import Item, Mask

CITIES, SPREAD, K = 1_000, 0.002, 200
SHARES = (1.0, 0.1, 0.01, 0.001)
REQUESTS, CHECKED, REPEATS = 400, 20, 3
MOVED = 400


def main() -> None:
    """Measure some sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    sizes = [measure(items) for items in parser.parse_args().items]
    print(json.dumps({"benchmark": "nearby", "k": K, "sizes": sizes}), flush=True)


def measure(items: int) -> dict[str, Any]:
    """One size."""
    rng = np.random.default_rng(1)
    north, east = scattered(rng, items)
    places = [Place(*spot) for spot in zip(*(axis[:REQUESTS].tolist() for axis in (north, east)), strict=True)]
    catalog = CatalogView({"title": "text", "location": "location", "live": "category"}, "title", place="location")
    spots = list(zip(north.tolist(), east.tolist(), strict=True))
    for start in range(0, items, 20_000):
        catalog.apply(item(n, spots[n]) for n in range(start, min(start + 20_000, items)))
    index = PlaceIndex.of(catalog)
    rebuilds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        index._state = index._built()
        rebuilds.append(time.perf_counter() - started)
    vectors = unit_vectors(north, east)
    masks = {share: rng.random(items) < share for share in SHARES}
    everything, tree = masks[1.0], cKDTree(vectors)
    found: dict[str, Any] = {
        "items": items,
        "nearest_microseconds": {str(share): nearest(index, places, mask) for share, mask in masks.items()},
        "checked": sum(check(index, places[:CHECKED], mask, vectors) for mask in masks.values()),
        "scipy_microseconds": microseconds(lambda place: tree.query(place.unit_vector, K), places),
        "all_distances_microseconds": microseconds(lambda place: distances_between(place, vectors), places[:20]),
        "rebuild_milliseconds": round(float(np.median(rebuilds)) * 1e3, 1),
    }
    elsewhere = rng.permutation(items)[:MOVED].tolist()
    changes = [item(n, spots[other], live=True) for n, other in zip(elsewhere, elsewhere[::-1], strict=True)]
    found["change_microseconds"] = {
        "place": followed(index, catalog, changes),
        "status": followed(index, catalog, [item(n, spots[n], live=False) for n in range(items - MOVED, items)]),
    }
    found["moved"] = {"items": len(index._now()[1]), "nearest_microseconds": nearest(index, places, everything)}
    return found


def scattered(rng: np.random.Generator, items: int) -> tuple[np.ndarray, np.ndarray]:
    """(items,) latitudes and longitudes."""
    weights = 1 / np.arange(1, CITIES + 1)
    centres = rng.normal(size=(CITIES, 3))
    centres /= np.linalg.norm(centres, axis=1)[:, None]
    points = centres[rng.choice(CITIES, items, p=weights / weights.sum())] + rng.normal(0, SPREAD, (items, 3))
    anywhere = rng.random(items) < 0.1
    points[anywhere] = rng.normal(size=(int(anywhere.sum()), 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    return np.degrees(np.arcsin(points[:, 2])), np.degrees(np.arctan2(points[:, 1], points[:, 0]))


def item(n: int, spot: tuple[float, float], *, live: bool = True) -> Item:
    """One on the map."""
    return Item(f"i{n}", n + 1, {"location": {"latitude": spot[0], "longitude": spot[1]}, "live": live}, None)


def nearest(index: PlaceIndex, places: list[Place], eligible: Mask) -> dict[str, float]:
    """How long the nearest take."""
    return microseconds(lambda place: index.nearest(place, eligible, K), places)


def check(index: PlaceIndex, places: list[Place], eligible: Mask, vectors: np.ndarray) -> int:
    """For how many places the nearest are those of measuring the way to all."""
    right = 0
    for place in places:
        kms = np.where(eligible, distances_between(place, vectors), np.inf)
        expected = np.lexsort((np.arange(len(kms)), kms))[: min(K, int(eligible.sum()))]
        right += index.nearest(place, eligible, K)[0].tolist() == expected.tolist()
    return right


def followed(index: PlaceIndex, catalog: CatalogView, changes: Iterable[Item]) -> dict[str, float]:
    """How long the index takes to follow each of some changes, once they are in the catalogue."""
    taken = []
    for change in changes:
        catalog.apply([change])
        started = time.perf_counter()
        index._now()
        taken.append(time.perf_counter() - started)
    return quantiles(taken)


def microseconds(ask: Callable[[Place], object], places: list[Place]) -> dict[str, float]:
    """Of each place the least of some times, for others share the machine."""
    taken = np.full(len(places), np.inf)
    for _ in range(REPEATS):
        for n, place in enumerate(places):
            started = time.perf_counter()
            ask(place)
            taken[n] = min(taken[n], time.perf_counter() - started)
    return quantiles(taken)


def quantiles(seconds: Any) -> dict[str, float]:
    """Of times, in microseconds."""
    return {f"p{q}": round(float(np.percentile(seconds, q)) * 1e6, 1) for q in (50, 95)}


if __name__ == "__main__":
    main()
