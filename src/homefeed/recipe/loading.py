"""From the text of a recipe to a `Recipe` whose every part is found and configured."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from homefeed.errors import NotFoundError, RecipeError
from homefeed.protocols import CountsExposures, PartConfig
from homefeed.recipe.base import Kind
from homefeed.recipe.declaration import (
    TRENDING,
    Declarations,
    EventType,
    Goal,
    Impressions,
    Signals,
)
from homefeed.recipe.entities import ItemEntity, UserEntity
from homefeed.recipe.feeds import Feed, FeedSettings, PartUse, RetrieverUse
from homefeed.recipe.jobs import JobSpec, jobs_of
from homefeed.recipe.models import models_of, rankers_of
from homefeed.recipe.parts import find_part
from homefeed.recipe.privacy import Isolation, Privacy
from homefeed.recipe.sources import Sources


@dataclass(frozen=True, slots=True)
class PartSpec:
    """A part that a recipe uses: its name there, its class's name, its validated configuration.

    `k` is how many candidates a retriever proposes at least; 0 of other parts. `instead_of` is the retriever whose
    proposals it stands in for.
    """

    name: str
    part: str
    config: PartConfig
    k: int = 0
    instead_of: str | None = None


@dataclass(frozen=True, slots=True)
class FeedRecipe:
    """A feed with its parts found."""

    name: str
    settings: FeedSettings
    retrieve: tuple[PartSpec, ...]
    filter: tuple[PartSpec, ...]
    features: tuple[PartSpec, ...]
    rank: PartSpec
    rerank: tuple[PartSpec, ...]
    learned: PartSpec | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """A valid recipe: what the app's data looks like, what is trained, how each feed is made.

    `models` learn from what the store holds, `pair_models` from files of labelled pairs.
    """

    app: str
    title: str
    items: ItemEntity
    users: UserEntity
    events: Mapping[str, EventType]
    accepts_unknown_events: bool
    signals: Signals
    goal: Goal
    impressions: Impressions
    isolation: Isolation | None
    privacy: Privacy | None
    sources: Sources
    models: tuple[PartSpec, ...]
    pair_models: tuple[PartSpec, ...]
    feeds: Mapping[str, FeedRecipe]
    home: str | None
    jobs: Mapping[str, JobSpec]

    def job(self, name: str) -> JobSpec:
        """The job of that name.

        Raises:
            NotFoundError: there is none.
        """
        if name not in self.jobs:
            raise NotFoundError(f'no job "{name}" in {self.app}; the jobs are: {", ".join(self.jobs)}')
        return self.jobs[name]

    @property
    def rankers(self) -> Mapping[str, PartSpec]:
        """The learned ranker of each feed that has one."""
        return {name: feed.learned for name, feed in self.feeds.items() if feed.learned is not None}

    def learned_ranker(self, feed: str) -> PartSpec:
        """The learned ranker of a feed.

        Raises:
            NotFoundError: it declares none.
        """
        found = self.rankers.get(feed)
        if found is None:
            known = ", ".join(self.rankers) or "none"
            raise NotFoundError(f'feed "{feed}" of {self.app} declares no learned ranker; those that do: {known}')
        return found

    def pair_model(self, name: str) -> PartSpec:
        """The model of that name that learns from a file of labelled pairs.

        Raises:
            NotFoundError: it declares none.
        """
        known = {spec.name: spec for spec in self.pair_models}
        if name not in known:
            told = ", ".join(known) or "none"
            raise NotFoundError(
                f'no model "{name}" of {self.app} learns from click samples; those that do: {told}'
            )
        return known[name]

    @property
    def counts_exposures(self) -> bool:
        """Whether a part of a feed goes by what was shown and chosen."""
        return any(
            isinstance(spec.config, CountsExposures) and spec.config.counts_exposures
            for feed in self.feeds.values()
            for spec in (*feed.features, *feed.retrieve)
        )

    @property
    def keeps_trending(self) -> bool:
        """Whether a job refreshes the store's view of what trends."""
        return any(TRENDING in job.models for job in self.jobs.values())

    @property
    def kept_of_users(self) -> tuple[str, ...]:
        """The fields of users that stay as they are until they are stated anew: what users refuse or block."""
        refused = () if self.privacy is None else (self.privacy.field,)
        return (*refused, *self.users.blocks)

    @property
    def verbs(self) -> tuple[str, ...]:
        """What reasons say of each event type, in the order of their codes."""
        return tuple(event.verb for event in self.events.values())

    @property
    def goal_feeds(self) -> tuple[str, ...]:
        """The feeds that are for the goal."""
        if self.goal.feeds is not None:
            return tuple(dict.fromkeys(self.goal.feeds))
        if self.home is None or self.home not in self.feeds:
            return ()
        standing_in = self.feeds[self.home].settings.cold_start
        return (self.home,) if standing_in is None else (self.home, standing_in)

    @property
    def goal_types(self) -> tuple[int, ...]:
        """The codes of the event types by which a user chooses what the feeds should have shown."""
        named = self.goal.events
        return tuple(
            code
            for code, (name, event) in enumerate(self.events.items())
            if (name in named if named is not None else event.about == "item" and event.weight > 0)
        )

    @property
    def event_types(self) -> tuple[str, ...]:
        """The declared event types, in the order of their codes."""
        return tuple(self.events)


def load_recipe(
    path: Path, overlay: Path | None = None, changes: Mapping[str, Mapping[str, Any]] | None = None
) -> Recipe:
    """Read a recipe. Its tables are replaced, key by key, by those of `changes` for its app, then by a file's.

    Args:
        path: The recipe.
        overlay: The file whose tables count before all others.
        changes: By app, tables of the settings.

    Raises:
        RecipeError: naming the file, the key, and what was expected.
    """
    table, origins = _read(path), [str(path)]
    app = table.get("app")
    if changes and isinstance(app, str) and app in changes:
        origins.append(f"homefeed.toml [recipes.{app}]")
        if "app" in changes[app]:
            raise RecipeError(f"{origins[-1]}: app: settings cannot name an app anew; remove it")
        table = _merged(table, changes[app])
    if overlay is not None:
        origins.append(str(overlay))
        table = _merged(table, _read(overlay))
    return parse_recipe(table, " with ".join(origins))


def parse_recipe(table: Mapping[str, Any], origin: str) -> Recipe:
    """Validate a recipe given as a table; `origin` names it in errors."""
    try:
        declared = Declarations.model_validate(table)
    except ValidationError as error:
        raise RecipeError(_format_validation_error(origin, (), table, error)) from None
    _check_defaults(origin, declared)

    def parts(kind: Kind, uses: Mapping[str, PartUse], *where: str) -> tuple[PartSpec, ...]:
        defaults = _defaults(declared, kind)
        return tuple(_part(origin, (*where, name), kind, name, use, defaults) for name, use in uses.items())

    models, pair_models = models_of(origin, declared, parts("model", declared.models, "models"))
    trained = [*(spec.name for spec in models), *declared.rankers]
    return Recipe(
        app=declared.app,
        title=declared.title or declared.app.replace("_", " ").capitalize(),
        items=declared.items,
        users=declared.users,
        events=declared.events,
        accepts_unknown_events=declared.unknown_event_types == "accept",
        signals=declared.signals,
        goal=declared.goal,
        impressions=declared.impressions,
        isolation=declared.isolation,
        privacy=declared.privacy,
        sources=declared.sources,
        models=models,
        pair_models=pair_models,
        feeds={name: _feed(origin, name, feed, declared, parts) for name, feed in declared.feeds.items()},
        home=declared.home_feed,
        jobs=jobs_of(declared.jobs, trained),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file; expected a recipe in TOML") from None
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}; expected a recipe in TOML") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], *path: str) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        if not isinstance(value, dict) or not isinstance(known, dict):
            result[key] = value
            continue
        if len(path) == _OF_A_FEED and path[0] == "feeds" and key in _ONE_PART and value.keys() - known.keys():
            known = {name: table for name, table in known.items() if name in value}
        result[key] = _merged(known, value, *path, key)
    return result


_ONE_PART: Final = ("rank", "learned")
"""Tables of a feed that hold one part: another one takes its place."""
_OF_A_FEED: Final = 2


def _defaults(declared: Declarations, kind: Kind) -> dict[str, Mapping[str, Any]]:
    """What parts of a kind are set to where a feed does not say otherwise: by the recipe, or else by its items."""
    tables: dict[str, Mapping[str, Any]] = {
        name: table or {} for name, table in declared.parts.get(kind, {}).items()
    }
    if kind == "filter" and declared.items.creator is not None:
        tables["own"] = {"field": declared.items.creator, **tables.get("own", {})}
    if kind == "rerank" and declared.items.group is not None:
        tables["variants"] = {"group": declared.items.group, **tables.get("variants", {})}
    return tables


def _filters(declared: Declarations, feed: Feed) -> dict[str, PartUse]:
    """The feed's own filters, after those that every feed has and neither it nor the recipe leaves out."""
    fields = declared.items.fields
    dated = [
        name
        for name, field in (("expiry", "expires_at"), ("not_yet", "available_from"))
        if fields.get(field) == "time"
    ]
    own = [] if declared.items.creator is None else ["own"]
    return _with_those_of_every_feed(declared, "filter", ["blocked", "seen", *own, *dated], feed.filter)


def _rerankers(declared: Declarations, feed: Feed) -> dict[str, PartUse]:
    """The feed's own rerankers, after `variants` where items have a group and neither leaves it out."""
    variants = [] if declared.items.group is None or "variants" in feed.rerank else ["variants"]
    return _with_those_of_every_feed(declared, "rerank", variants, feed.rerank)


def _with_those_of_every_feed(
    declared: Declarations, kind: Kind, names: Iterable[str], own: Mapping[str, PartUse | Literal[False]]
) -> dict[str, PartUse]:
    tables = declared.parts.get(kind, {})
    always = {name: PartUse() for name in names if tables.get(name) is not False}
    return {name: use for name, use in (always | dict(own)).items() if use is not False}


def _feed(
    origin: str, name: str, feed: Feed, declared: Declarations, find: Callable[..., tuple[PartSpec, ...]]
) -> FeedRecipe:
    def parts(kind: Kind, uses: Mapping[str, PartUse]) -> tuple[PartSpec, ...]:
        return find(kind, uses, "feeds", name, kind)

    return FeedRecipe(
        name=name,
        settings=feed.settings.model_copy(update={"title": feed.title or name.replace("_", " ").capitalize()}),
        retrieve=parts("retrieve", feed.retrieve),
        filter=parts("filter", _filters(declared, feed)),
        # To the bias goes what a learned ranker adds to all of them alike.
        features=parts("features", feed.features | ({"bias": PartUse()} if feed.learned else {})),
        rank=parts("rank", feed.rank)[0],
        rerank=parts("rerank", _rerankers(declared, feed)),
        learned=next(iter(rankers_of(origin, name, find("model", feed.learned, "feeds", name, "learned"))), None),
    )


def _check_defaults(origin: str, declared: Declarations) -> None:
    for kind, parts in declared.parts.items():
        for name, settings in parts.items():
            try:
                known = find_part(kind, name).Config.model_fields
            except RecipeError as error:
                raise RecipeError(f"{origin}: parts.{kind}.{name}: {error}") from None
            for key in settings or ():
                if key not in known:
                    where = f"{origin}: parts.{kind}.{name}.{key}"
                    raise RecipeError(f"{where}: no such key here; expected some of {', '.join(known)}")


def _part(
    origin: str,
    where: tuple[str, ...],
    kind: Kind,
    name: str,
    use: PartUse,
    defaults: Mapping[str, Mapping[str, Any]],
) -> PartSpec:
    part = use.part or name
    try:
        config = find_part(kind, part).Config.model_validate({**defaults.get(part, {}), **use.config})
    except RecipeError as error:
        raise RecipeError(f"{origin}: {'.'.join(where)}: {error}") from None
    except ValidationError as error:
        raise RecipeError(_format_validation_error(origin, where, use.config, error)) from None
    return PartSpec(name, part, config, *((use.k, use.instead_of) if isinstance(use, RetrieverUse) else ()))


def _format_validation_error(
    origin: str, where: Iterable[str], table: Mapping[str, Any], error: ValidationError
) -> str:
    expected: dict[str, list[str]] = {}
    for problem in error.errors():
        steps = _steps(table, problem["loc"], problem["type"] == "missing")
        key = ".".join([*where, *steps]) or "(the whole recipe)"
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "no such key here; remove it or check its spelling"
        elif problem["type"] == "missing":
            message = "missing; this key is required"
        elif problem["type"] in ("model_type", "dict_type"):
            message = f"input should be a table, got {problem['input']!r}"
        elif problem["type"] != "value_error":
            message = f"{message[0].lower()}{message[1:]}, got {problem['input']!r}"
        expected.setdefault(key, []).append(message)
    return "\n".join(f"{origin}: {key}: {'; or '.join(messages)}" for key, messages in expected.items())


def _steps(table: Any, location: tuple[str | int, ...], missing: bool) -> list[str]:
    """The keys on the way to a problem, without pydantic's names for the branches of a union."""
    steps = []
    for step in location:
        try:
            table = table[step]
        except (KeyError, IndexError, TypeError):
            continue
        steps.append(str(step))
    return [*steps, str(location[-1])] if missing else steps
