"""The learned rankers of a training on Spark, of what was shown, judged and published as those of one machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from homefeed.engine import empty_catalog
from homefeed.evaluate.ranking import Judged
from homefeed.recipe import Recipe
from homefeed.train.jobs import Trained
from homefeed.train.publishing import Before, Publisher
from homefeed.train.rankers import find_ranker, publish_rankers
from homefeed.train.ranking import Serving
from homefeed.train.spark.failures import plainly
from homefeed.train.spark.inputs import Input
from homefeed.train.spark.ranking import spark_ranker
from homefeed.train.spark.reading import Ids
from homefeed.train.spark.shown import Shown, shown_of

_SHOWN: Final = "shown: "


@dataclass(frozen=True, slots=True)
class RankersOnSpark:
    """Those of `feeds`, by name, learned from what an input tells that was shown."""

    recipe: Recipe
    feeds: Mapping[str, str]
    source: Input
    ids: Ids
    seed: int

    async def add_to(self, trained: Trained, publisher: Publisher, before: Before) -> Trained:
        """Judge them, and publish the better ones.

        Where the input does not tell what was shown, they are left out, and it is said what makes them.
        """
        there = [name for name in self.feeds.values() if before.has_judged(name)]
        left = [feed for feed, name in self.feeds.items() if name not in there]
        trained = replace(trained, resumed=(*trained.resumed, *there))
        if not left or self.source.impressions is None:
            whys = {self.feeds[feed]: _elsewhere(self.recipe.app, self.feeds[feed]) for feed in left}
            return replace(trained, left_out={**trained.left_out, **whys})
        with shown_of(self.source, self.source.impressions, self.ids, self.recipe) as shown:
            found = []
            for feed in left:
                judge = partial(self._judged, feed, shown, publisher)
                found.append(await find_ranker(self.recipe, feed, judge))
        return replace(
            trained,
            manifests=(*trained.manifests, *await publish_rankers(found, publisher)),
            rankers={each.name: each.told() for each in found},
            rejected={**trained.rejected, **{f"{_SHOWN}{why}": count for why, count in shown.left_out.items()}},
        )

    async def _judged(self, feed: str, shown: Shown, publisher: Publisher) -> Judged:
        publisher.turn.report(f"judging {self.feeds[feed]}", 0, 1)
        serving = Serving.of(self.recipe, feed, publisher.artifacts)
        # Of the feed its features and what it is ranked by are looked at, of no item.
        as_serves = serving.feed(self.recipe, feed, empty_catalog(self.recipe))
        with plainly(self.source.name):
            judged = spark_ranker(
                self.recipe,
                as_serves,
                shown.pages,
                shown.events,
                blend=serving.blended_by,
                learned_until=serving.learned_until,
                seed=self.seed,
            )
        publisher.turn.report(f"judging {self.feeds[feed]}", 1, 1)
        return judged


def _elsewhere(app: str, name: str) -> str:
    return (
        f"is learned of an export with impressions (homefeed export {app} DIR --by-day), or on one machine: "
        f"homefeed train {app} {name}; until then the one before serves"
    )
