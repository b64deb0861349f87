"""Trains the models of an app that learn from files of labelled pairs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from homefeed.engine import fit_pair_model
from homefeed.environment import Environment
from homefeed.errors import DataError, InvalidError
from homefeed.ingest.pairs import read_pairs
from homefeed.ingest.readers import find_file
from homefeed.protocols import NamesPairs
from homefeed.recipe import PartSpec, Recipe
from homefeed.store.artifacts import ArtifactStore, Manifest


def samples_of(recipe: Recipe, path: Path, names: Sequence[str] | None = None) -> Mapping[str, Path]:
    """By model that learns from samples, or only those named, its file: the path, or one in that folder.

    Raises:
        NotFoundError: a name is that of no such model.
        InvalidError: no model learns from samples, or several would from one file.
        DataError: the folder has no such file.
    """
    specs = recipe.pair_models if names is None else tuple(map(recipe.pair_model, names))
    if not specs:
        raise InvalidError(f"no model of {recipe.app} learns from click samples; declare one under [models]")
    if path.is_dir():
        found = samples_in(path, specs)
        for spec in specs:
            if spec.name not in found:
                name = _pairs_of(spec).samples
                raise DataError(f"{path}: no samples for {spec.name}; expected {name}.parquet, .csv or .jsonl")
        return found
    if len(specs) > 1:
        told = ", ".join(spec.name for spec in specs)
        raise InvalidError(
            f"{path}: a file is for one model: name one of {told}, or a folder with a file for each"
        )
    return {specs[0].name: path}


def samples_in(folder: Path, specs: Sequence[PartSpec]) -> Mapping[str, Path]:
    """By model, its file of samples, as far as the folder has one.

    Raises:
        DataError: one is there in two formats.
    """
    found = {spec.name: find_file(folder, _pairs_of(spec).samples) for spec in specs}
    return {name: file for name, file in found.items() if file is not None}


def train_on_pairs(
    recipe: Recipe, artifacts: ArtifactStore, environment: Environment, name: str, samples: Path
) -> Manifest:
    """Fit a model to a file of samples, and publish it; the facts of its manifest tell how good it is.

    Raises:
        NotFoundError: the recipe has no such model.
        DataError: the file cannot be read, or lacks a column.
        HomefeedError: it holds too few samples.
    """
    spec, began = recipe.pair_model(name), time.perf_counter()
    artifacts.require_folders(recipe.app)
    declared = _pairs_of(spec)
    pairs = read_pairs(samples, tuple(declared.features), declared.label)
    model = fit_pair_model(spec, pairs)
    facts: dict[str, Any] = {
        "samples": _file_facts(samples),
        "rows": len(pairs),
        "left_out": dict(pairs.left_out),
        "validation": asdict(model.validation),
        "importances": [{"feature": feature, "weight": weight} for feature, weight in model.importances.items()],
        "seconds": round(time.perf_counter() - began, 3),
    }
    return artifacts.publish(
        recipe.app,
        spec.name,
        spec.part,
        model,
        now=environment.clock(),
        watermark=0,
        config=spec.config.model_dump(),
        facts=facts,
    )


def _file_facts(path: Path) -> Mapping[str, str]:
    with path.open("rb") as file:
        return {"file": path.name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _pairs_of(spec: PartSpec) -> NamesPairs:
    if not isinstance(spec.config, NamesPairs):
        raise TypeError(f"{spec.part}: its Config tells no features, samples and label")
    return spec.config
