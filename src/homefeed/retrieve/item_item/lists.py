"""From views of which items belong together to the neighbour lists of each."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.kernels import Indices, Starts, in_parallel, joined_rows, strongest_of_two
from homefeed.retrieve.item_item.matrix import Matrix, no_entries, rows_of
from homefeed.types import Floats

_USERS_AT_ONCE: Final = 32


def neighbour_lists(
    gram: Gram, blend: Floats, by_content: Matrix | None, share: np.float32, max_neighbours: int
) -> tuple[Starts, Indices, Floats]:
    """The `max_neighbours` largest weights of each row without their sign, sorted with it, in CSR form.

    Weights are those of `blend` and, where the Gram matrix has none, `share` times those of `by_content`.
    """
    more = no_entries(len(gram), len(gram)) if by_content is None else by_content
    starts, others, weights = rows_of(more)
    arguments = (gram.starts, gram.others, blend, starts, others, share * weights)
    return joined_rows(
        in_parallel(strongest_of_two, (0, len(gram)), *arguments, max_neighbours, by_content is None)
    )


def spread(sample: Matrix, view: Matrix) -> float:
    """The standard deviation of the scores (users, items) that a view gives, those of 0 included; of none 0."""
    if not sample.shape[0]:
        return 0.0
    total = squares = 0.0
    for start in range(0, sample.shape[0], _USERS_AT_ONCE):
        scores = sp.csr_array(sample[start : start + _USERS_AT_ONCE] @ view).data.astype(np.float64)
        total += scores.sum()
        squares += (scores**2).sum()
    count = float(np.prod((sample.shape[0], view.shape[1])))
    return float(np.sqrt(max(squares / count - (total / count) ** 2, 0)))
