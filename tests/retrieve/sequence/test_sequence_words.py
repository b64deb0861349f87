"""What items have in common by their words."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.item_item.gram import gram_of
from homefeed.retrieve.sequence.words import cosines, nearest_elsewhere

TABLE = sp.csr_array(np.array([[1, 1, 0, 0], [0, 1, 1, 0]], np.float32))
VECTORS = sp.csr_array(np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8], [0, 0, 1]], np.float32))
GRAM = gram_of(TABLE, 0.0, 10, 1)


def test_of_items_that_share_users() -> None:
    found = GRAM.matrix(cosines(GRAM, VECTORS)).toarray()
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 0.6
    expected[1, 2] = expected[2, 1] = 0.48
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_items_that_share_none_are_neighbours_by_their_words() -> None:
    found = nearest_elsewhere(GRAM, VECTORS, 2).toarray()
    expected = np.zeros((4, 4))
    expected[2, 3] = expected[3, 2] = 0.8
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert nearest_elsewhere(GRAM, VECTORS, 0).nnz == 0
