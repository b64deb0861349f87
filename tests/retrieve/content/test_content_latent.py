"""What items have in common by their words: against numpy's exact decomposition, and where there is nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from homefeed.retrieve.content.latent import latent_components


@pytest.mark.parametrize("shape", [(50, 20), (20, 50)])
def test_they_are_the_leading_right_singular_vectors(shape: tuple[int, int]) -> None:
    dense = np.random.default_rng(0).random(shape).astype(np.float32)
    found = latent_components(sp.csr_array(dense), 3, seed=0)
    exact = np.linalg.svd(dense)[2][:3]
    assert np.abs(found @ exact.T) == pytest.approx(np.eye(3), abs=1e-3)


def test_there_are_no_more_than_the_items_differ_in() -> None:
    same = sp.csr_array(np.ones((5, 3), np.float32))
    assert np.abs(latent_components(same, 3, seed=0)) == pytest.approx(np.full((1, 3), 3**-0.5))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3, 1), (3, 4)])
def test_without_words_there_is_one_for_all(shape: tuple[int, int]) -> None:
    nothing = sp.csr_array(np.zeros(shape, np.float32))
    assert latent_components(nothing, 2, seed=0).tolist() == [[1.0] * shape[1]]


def test_it_brings_no_library_of_seconds() -> None:
    heavy = {"sklearn", "pandas", "torch"}
    check = f"import sys, homefeed.retrieve.content.trainer; assert not {heavy} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", check], check=True)
