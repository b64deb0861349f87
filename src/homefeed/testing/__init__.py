"""For authors of parts and plug-ins: contract suites for the seams, and a toy world whose answers are known.

    class TestMyRetriever(RetrieverContract):
        def make(self, world: World) -> MyRetriever:
            return MyRetriever(MyRetriever.Config(), world.resources)

Needs pytest.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{seam}"
        for seam in ("arranger", "features", "model", "ranker", "retriever", "screen", "trainer")
    )
)

# Their asserts are rewritten only from here on.
from homefeed.testing.arranger import ArrangerContract  # noqa: E402
from homefeed.testing.features import FeatureContract  # noqa: E402
from homefeed.testing.model import ModelContract  # noqa: E402
from homefeed.testing.ranker import RankerContract  # noqa: E402
from homefeed.testing.retriever import RetrieverContract  # noqa: E402
from homefeed.testing.screen import ScreenContract  # noqa: E402
from homefeed.testing.trainer import TrainerContract  # noqa: E402
from homefeed.testing.world import Play, World, empty_world, make_world, toy_item, toy_world  # noqa: E402

__all__ = [
    "ArrangerContract",
    "FeatureContract",
    "ModelContract",
    "Play",
    "RankerContract",
    "RetrieverContract",
    "ScreenContract",
    "TrainerContract",
    "World",
    "empty_world",
    "make_world",
    "toy_item",
    "toy_world",
]
