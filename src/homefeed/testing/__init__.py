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
        for seam in (
            "reranker",
            "features",
            "model",
            "pair_model",
            "ranker",
            "ranking_model",
            "ranking_trainer",
            "retriever",
            "filter",
            "trainer",
        )
    )
)

# Their asserts are rewritten only from here on.
from homefeed.testing.features import FeatureContract  # noqa: E402
from homefeed.testing.filter import FilterContract  # noqa: E402
from homefeed.testing.model import ModelContract  # noqa: E402
from homefeed.testing.pair_model import PairModelContract, PairTrainerContract, planted_pairs  # noqa: E402
from homefeed.testing.ranker import RankerContract  # noqa: E402
from homefeed.testing.ranking_model import RankingModelContract  # noqa: E402
from homefeed.testing.ranking_requests import planted_requests  # noqa: E402
from homefeed.testing.ranking_trainer import RankingTrainerContract  # noqa: E402
from homefeed.testing.reranker import RerankerContract  # noqa: E402
from homefeed.testing.retriever import RetrieverContract  # noqa: E402
from homefeed.testing.trainer import TrainerContract  # noqa: E402
from homefeed.testing.world import Play, World, empty_world, make_world, toy_item, toy_world  # noqa: E402

__all__ = [
    "FeatureContract",
    "FilterContract",
    "ModelContract",
    "PairModelContract",
    "PairTrainerContract",
    "Play",
    "RankerContract",
    "RankingModelContract",
    "RankingTrainerContract",
    "RerankerContract",
    "RetrieverContract",
    "TrainerContract",
    "World",
    "empty_world",
    "make_world",
    "planted_pairs",
    "planted_requests",
    "toy_item",
    "toy_world",
]
