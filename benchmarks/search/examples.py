"""What a shop shows for products and queries of one's choice, as Markdown tables to look at.

    python -m benchmarks.search.examples --products FILE --product B000000001 --query "red shoes"

The products are imported and the shop's models trained, in a folder that is thrown away. `--product` and
`--query` may be repeated: choose them before you look. Names are shortened.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from homefeed.apps import find_preparation, find_recipe
from homefeed.environment import Environment, system_clock
from homefeed.ingest import Files, import_files
from homefeed.serving import Answer, FeedRequest, open_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=Path, required=True)
    parser.add_argument("--product", action="append", default=[])
    parser.add_argument("--query", action="append", default=[])
    parser.add_argument("--show", type=int, default=4, help="How many of each list.")
    parser.add_argument("--width", type=int, default=44, help="To how many characters names are shortened.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in asyncio.run(_tables(Settings(home=Path(folder), apps=("shop",)), options)):
            print(line)


async def _tables(settings: Settings, options: argparse.Namespace) -> list[str]:
    recipe = find_recipe("shop")
    async with open_store(settings.store_url) as store:
        files = Files(items=options.products)
        prepare_items = find_preparation("shop")
        await import_files(store, recipe, files, now=system_clock(), prepare_items=prepare_items)
        await train_app(recipe, store, ArtifactStore(settings.models_folder), Environment())
    lines: list[str] = []
    async with open_app(recipe, settings) as live:
        requests = [FeedRequest("similar", n=options.show, item_id=item_id) for item_id in options.product]
        names = [live.catalog.title(live.catalog.position(item_id) or 0) for item_id in options.product]
        answers = [await live.recommend(request) for request in requests]
        lines += _table("product", "similar products, best first", names, answers, options.width)
        found = [FeedRequest("search", n=options.show, context={"query": text}) for text in options.query]
        answers = [await live.recommend(request) for request in found]
        lines += _table("query", "results, best first", options.query, answers, options.width)
    return lines


def _table(what: str, shown: str, names: Sequence[str], answers: Sequence[Answer], width: int) -> Iterator[str]:
    yield from (f"| {what} | {shown} |", "| --- | --- |")
    for name, answer in zip(names, answers, strict=True):
        titles = [answer.catalog.title(position) for position in answer.slate.positions.tolist()]
        yield f"| {_short(name, width)} | {'<br>'.join(_short(title, width) for title in titles)} |"
    yield ""


def _short(name: str, width: int) -> str:
    """The beginning of a name, whole words of it, safe within a table."""
    name = " ".join(name.replace("|", " ").split())
    return name if len(name) <= width else name[: width + 1].rsplit(" ", 1)[0].rstrip(" ,-(") + " ..."


if __name__ == "__main__":
    main()
