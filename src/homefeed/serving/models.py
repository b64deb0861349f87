"""The models an app serves by: loaded, checked, and replaced while requests go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from homefeed.catalog import SignalsModel
from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, SIGNALS, Recipe, find_part
from homefeed.store.artifacts import ArtifactStore, Loaded

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Loaded models by name. `wanted` are the versions that were current when these were loaded."""

    loaded: Mapping[str, Loaded[Model]] = field(default_factory=dict)
    wanted: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def signals(self) -> SignalsModel | None:
        """The counted signals, if training ever ran."""
        found = self.loaded.get(SIGNALS)
        return found.model if found is not None and isinstance(found.model, SignalsModel) else None

    @property
    def models(self) -> dict[str, Model]:
        """The models the recipe names, and the blend."""
        return {name: loaded.model for name, loaded in self.loaded.items() if name != SIGNALS}

    @property
    def versions(self) -> dict[str, str]:
        """The version of each that serves."""
        return {name: loaded.manifest.version for name, loaded in self.loaded.items()}


def wanted_versions(recipe: Recipe, artifacts: ArtifactStore) -> dict[str, str | None]:
    """The version of each model that should serve."""
    names = [SIGNALS, *(spec.name for spec in recipe.models), BLEND]
    return {name: artifacts.current(recipe.app, name) for name in names}


def load_models(recipe: Recipe, artifacts: ArtifactStore, before: ModelSet) -> ModelSet:
    """Load what changed; a model whose every version is damaged keeps serving as it was before."""
    wanted = wanted_versions(recipe, artifacts)
    kinds: dict[str, type[Model]] = {SIGNALS: SignalsModel, BLEND: Blend}
    kinds |= {spec.name: find_part("model", spec.part) for spec in recipe.models}
    loaded: dict[str, Loaded[Model]] = {}
    for name, version in wanted.items():
        if name in before.loaded and before.wanted.get(name) == version:
            loaded[name] = before.loaded[name]
            continue
        try:
            found = artifacts.load(recipe.app, name, kinds[name])
        except ArtifactError as error:
            _log.error("model refused", app=recipe.app, model=name, error=str(error))
            found = before.loaded.get(name)
        if found is not None:
            loaded[name] = found
            for refused, why in found.refused.items():
                serving = found.manifest.version
                _log.error("model refused", app=recipe.app, model=name, version=refused, why=why, serving=serving)
    return ModelSet(loaded, wanted)
