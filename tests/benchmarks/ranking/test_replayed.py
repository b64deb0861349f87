"""What a live app served is what a replay of its impressions says: features, scores and order."""

from __future__ import annotations

from pathlib import Path

from benchmarks.ranking.replayed import run


async def test_a_replay_gives_what_was_served(tmp_path: Path) -> None:
    found = await run(requests=200, users=40, items=150, events=1_500, folder=tmp_path)
    assert found.requests >= 190
    assert found.rows == 20 * found.requests
    assert found.features == 42
    assert found.largest_feature_difference <= 1e-6
    assert found.largest_score_difference <= 1e-6
    assert found.lists_in_another_order == 0
