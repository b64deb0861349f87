"""The models an app serves by: loaded, checked, and replaced while requests go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from homefeed.catalog import ExposuresModel, SignalsModel
from homefeed.errors import ArtifactError
from homefeed.protocols import Model
from homefeed.rank.blend import Blend
from homefeed.recipe import BLEND, EXPOSURES, SIGNALS, PartSpec, Recipe, find_part
from homefeed.retrieve.content.embedding import NO_TEXT_MODEL
from homefeed.store.artifacts import ArtifactStore, FilesState, Loaded
from homefeed.store.verdicts import RankerVerdict, latest_verdict

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Loaded models by name. `wanted` are the versions that were current when these were loaded.

    `degraded` are the models of which not the current version serves, or none, and why; `refused` is the state of
    the files of those that were refused. `verdicts` are what was last found of learned rankers, published or not.
    """

    loaded: Mapping[str, Loaded[Model]] = field(default_factory=dict)
    wanted: Mapping[str, str | None] = field(default_factory=dict)
    degraded: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, FilesState] = field(default_factory=dict)
    verdicts: Mapping[str, RankerVerdict] = field(default_factory=dict)

    @property
    def why_missing(self) -> dict[str, str]:
        """Why models do not serve as they were published, or, of learned rankers, why there is none to serve."""
        absent = {name: verdict for name, verdict in self.verdicts.items() if name not in self.loaded}
        return {name: _why_absent(verdict) for name, verdict in absent.items()} | dict(self.degraded)

    @property
    def signals(self) -> SignalsModel | None:
        """The counted signals, if training ever ran."""
        found = self.loaded.get(SIGNALS)
        return found.model if found is not None and isinstance(found.model, SignalsModel) else None

    @property
    def exposures(self) -> ExposuresModel | None:
        """What was shown and chosen, if it was ever counted."""
        found = self.loaded.get(EXPOSURES)
        return found.model if found is not None and isinstance(found.model, ExposuresModel) else None

    @property
    def models(self) -> dict[str, Model]:
        """The models the recipe names, and the blend."""
        counts = (SIGNALS, EXPOSURES)
        return {name: loaded.model for name, loaded in self.loaded.items() if name not in counts}

    @property
    def versions(self) -> dict[str, str]:
        """The version of each that serves."""
        return {name: loaded.manifest.version for name, loaded in self.loaded.items()}

    @property
    def text_models(self) -> dict[str, str]:
        """The text model that those were made with which were."""
        named = {name: loaded.manifest.config.get("text_model") for name, loaded in self.loaded.items()}
        return {
            name: str(made_with) for name, made_with in named.items() if made_with not in (None, NO_TEXT_MODEL)
        }

    def serves_as(self, other: ModelSet) -> bool:
        """Whether the loaded models are the same objects."""
        return {name: id(one) for name, one in self.loaded.items()} == {
            name: id(one) for name, one in other.loaded.items()
        }


def _why_absent(verdict: RankerVerdict) -> str:
    gone = f"version {verdict.version} was published, and is gone"
    return verdict.sentence if verdict.version is None else gone


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version of each model that should serve.

    `missing` are models that serve although no version is named any more, and why: they are wanted as they are.
    `changed` are models whose wanted version was refused, and has other files now. `verdicts` are what was last
    found of learned rankers.
    """

    versions: Mapping[str, str | None]
    missing: Mapping[str, str]
    changed: frozenset[str]
    verdicts: Mapping[str, RankerVerdict]


def wanted_models(recipe: Recipe, artifacts: ArtifactStore, serving: ModelSet) -> Wanted:
    """What should serve, by what is published now."""
    pointers = {name: artifacts.pointer(recipe.app, name) for name in kinds_of(recipe)}
    missing = {
        name: pointer.why
        for name, pointer in pointers.items()
        if pointer.version is None and name in serving.loaded
    }
    versions = {
        name: serving.wanted.get(name) if name in missing else pointer.version
        for name, pointer in pointers.items()
    }
    changed = {name for name, seen in serving.refused.items() if artifacts.state(recipe.app, name) != seen}
    return Wanted(versions, missing, frozenset(changed), _verdicts(recipe, artifacts))


def _verdicts(recipe: Recipe, artifacts: ArtifactStore) -> dict[str, RankerVerdict]:
    found = {
        spec.name: latest_verdict(artifacts.root, recipe.app, spec.name, spec.part)
        for spec in recipe.rankers.values()
    }
    return {name: verdict for name, verdict in found.items() if verdict is not None}


def _specs(recipe: Recipe) -> tuple[PartSpec, ...]:
    return (*recipe.models, *recipe.pair_models, *recipe.rankers.values())


def kinds_of(recipe: Recipe) -> dict[str, tuple[str, type[Model]]]:
    """By model, the part that makes it, and its class."""
    kinds: dict[str, tuple[str, type[Model]]] = {SIGNALS: (SIGNALS, SignalsModel)}
    kinds |= {EXPOSURES: (EXPOSURES, ExposuresModel)} if recipe.counts_exposures else {}
    kinds |= {spec.name: (spec.part, find_part("model", spec.part)) for spec in _specs(recipe)}
    return kinds | {BLEND: (BLEND, Blend)}


def load_models(recipe: Recipe, artifacts: ArtifactStore, before: ModelSet) -> ModelSet:
    """Load what changed. Where the wanted version cannot be loaded, the newest before it serves.

    That may be the one in memory: a model whose every version is damaged or gone keeps serving as it was before.
    """
    wanted = wanted_models(recipe, artifacts, before)
    kinds = kinds_of(recipe)
    now = {
        name: _as_before(before, name)
        if name in before.loaded and before.wanted.get(name) == version and name not in wanted.changed
        else _load(recipe.app, artifacts, name, *kinds[name], before.loaded.get(name), version)
        for name, version in wanted.versions.items()
    }
    return ModelSet(
        {name: one.loaded for name, one in now.items() if one.loaded is not None},
        wanted.versions,
        {name: one.degraded for name, one in now.items() if one.degraded},
        {name: one.refused for name, one in now.items() if one.refused is not None},
        wanted.verdicts,
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """What serves of a model, why that is not what should, and the state of the files that were refused."""

    loaded: Loaded[Model] | None
    degraded: str = ""
    refused: FilesState | None = None


def _as_before(before: ModelSet, name: str) -> _Served:
    return _Served(before.loaded[name], before.degraded.get(name, ""), before.refused.get(name))


def _load(
    app: str,
    artifacts: ArtifactStore,
    name: str,
    part: str,
    kind: type[Model],
    serving: Loaded[Model] | None,
    wanted: str | None,
) -> _Served:
    state = artifacts.state(app, name)
    try:
        found = artifacts.load(app, name, kind, part)
        refused = [] if found is None else [f"{version}: {why}" for version, why in found.refused.items()]
    except (ArtifactError, OSError) as error:
        found, refused = None, [str(error)]
    if refused or found is None:
        found = _newer(found, serving, wanted)
    serves = "none" if found is None else found.manifest.version
    if refused:
        why = "; ".join(refused)
        _log.error("model refused", app=app, model=name, why=why, serving=serves)
        return _Served(found, f"{why}; serving: {serves}", state)
    if wanted is None and found is not None:
        return _Served(found, f"{artifacts.pointer(app, name).why}; serving: {serves}")
    return _Served(found)


def _newer(found: Loaded[Model] | None, serving: Loaded[Model] | None, wanted: str | None) -> Loaded[Model] | None:
    """Which serves in place of the wanted version: the one that could be loaded, or the one in memory."""
    if found is None or serving is None:
        return found or serving
    in_memory = serving.manifest.version
    return serving if wanted is not None and found.manifest.version <= in_memory <= wanted else found
