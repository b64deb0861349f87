"""Finds rules by one method, in a process of its own.

    python -m benchmarks.association.worker REQUEST.json

The request names a file of baskets, a configuration, and the folder for the model: see `cf.processes`.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.cf.lightgcn import Matrix
from benchmarks.cf.resident import forget_peak, resident
from homefeed.retrieve.association.model import AssociationConfig
from homefeed.retrieve.association.trainer import AssociationTrainer
from homefeed.types import Interactions, TrainingData


def main() -> None:
    """Do what is asked."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    del request["action"]
    answer = Path(request.pop("answer"))
    answer.write_text(json.dumps(fit(**request)), encoding="utf-8")


def fit(baskets: str, config: dict[str, Any], model: str) -> dict[str, Any]:
    """What the fit costs; a fit to next to nothing comes first, so that importing and compiling do not count."""
    trainer = AssociationTrainer(AssociationConfig.model_validate(config))
    few = np.random.default_rng(0).random((30, 10)) < 0.3
    trainer.fit(data_of(sp.csr_array(few.astype(np.float32))))
    data = data_of(sp.csr_array(sp.load_npz(baskets)))
    gc.collect()
    forget_peak()
    before = resident("VmRSS")
    start = time.perf_counter()
    fitted = trainer.fit(data)
    seconds = time.perf_counter() - start
    answer = {
        "fit_seconds": round(seconds, 3),
        "fit_peak_mb": round(resident("VmHWM"), 1),
        "before_fit_mb": round(before, 1),
        "baskets": fitted.baskets,
        "rules": len(fitted.indices),
    }
    folder = Path(model)
    folder.mkdir()
    fitted.save(folder)
    return answer


def data_of(baskets: Matrix) -> TrainingData:
    """Baskets as events, each of a user of its own, at one moment."""
    count = baskets.nnz
    users = np.repeat(np.arange(baskets.shape[0], dtype=np.int32), np.diff(baskets.indptr))
    interactions = Interactions(
        users,
        baskets.indices.astype(np.int32),
        np.zeros(count, np.int32),
        np.full(count, np.nan, np.float32),
        np.ones(count, np.float32),
        np.zeros(count, np.int64),
    )
    return TrainingData(interactions, baskets.shape[0], np.arange(baskets.shape[1], dtype=np.int32), {}, 0)


if __name__ == "__main__":
    main()
