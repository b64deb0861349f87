"""What every trainer of a model that ranks keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.errors import HomefeedError
from homefeed.protocols import RankingModel, RankingTrainer
from homefeed.ranking import RankingData
from homefeed.testing.ranking_requests import planted_requests
from homefeed.testing.trainer import saved


class RankingTrainerContract:
    """Subclass it, name the subclass `Test...` and give it a trainer by `make`; pytest does the rest."""

    def make(self) -> RankingTrainer[Any]:
        """The trainer under test, for the events of `planted_requests()`."""
        raise NotImplementedError

    def test_it_is_a_ranking_trainer(self) -> None:
        """It has the methods of the seam, and its models those of theirs."""
        trainer = self.make()
        assert isinstance(trainer, RankingTrainer)
        assert isinstance(trainer.fit(planted_requests()), RankingModel)

    def test_the_same_data_and_seed_give_equal_files(self, tmp_path: Path) -> None:
        """To the byte, whether by one trainer twice or by two."""
        one, other = self.make(), self.make()
        expected = saved(one.fit(planted_requests()), tmp_path / "0")
        for count, trainer in enumerate((one, other), start=1):
            assert saved(trainer.fit(planted_requests()), tmp_path / str(count)) == expected

    def test_it_leaves_its_data_alone(self) -> None:
        """Others are trained on the same."""
        data = planted_requests()
        before = {name: column.copy() for name, column in _columns(data).items()}
        for column in _columns(data).values():
            column.flags.writeable = False
        self.make().fit(data)
        for name, column in _columns(data).items():
            np.testing.assert_array_equal(column, before[name], err_msg=name)

    @pytest.mark.parametrize("calibrated", [False, True])
    def test_the_model_is_of_the_features_it_learned_from(self, calibrated: bool) -> None:
        """In their order, and says whether they were calibrated."""
        data = replace(planted_requests(), calibrated=calibrated)
        turned = replace(
            data, feature_names=data.feature_names[::-1], features=np.ascontiguousarray(data.features[:, ::-1])
        )
        for each in (data, turned):
            model = self.make().fit(each)
            assert (model.feature_names, model.calibrated) == (each.feature_names, calibrated)

    @pytest.mark.parametrize(
        "name", ["no request", "one request", "nothing chosen", "everything chosen", "one candidate each"]
    )
    def test_data_of_hardly_anything_makes_a_model_or_is_refused(self, name: str, tmp_path: Path) -> None:
        """With a reason that can be told, and by no other error."""
        data = {
            "no request": planted_requests(0),
            "one request": planted_requests(1),
            "nothing chosen": _all_alike(planted_requests(), chosen=False),
            "everything chosen": _all_alike(planted_requests(), chosen=True),
            "one candidate each": planted_requests(20, 1),
        }[name]
        try:
            model = self.make().fit(data)
        except HomefeedError:
            return
        saved(model, tmp_path / "model")
        type(model).load(tmp_path / "model")
        assert np.isfinite(model.scores(planted_requests().features)).all()


def _all_alike(data: RankingData, *, chosen: bool) -> RankingData:
    return replace(data, chosen=np.full_like(data.chosen, chosen), outcomes=np.full_like(data.outcomes, chosen))


def _columns(data: RankingData) -> dict[str, np.ndarray[Any, Any]]:
    names = ("features", "starts", "outcomes", "chosen", "weights")
    return {name: getattr(data, name) for name in names}
