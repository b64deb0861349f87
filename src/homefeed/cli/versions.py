"""Versions of models: models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from homefeed.cli.common import AppName, Json, out, print_json, recipe_of, settings_in_force
from homefeed.cli.models import model_names
from homefeed.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from homefeed.recipe import Recipe
    from homefeed.store.artifacts import ArtifactStore, Manifest


def register(cli: typer.Typer) -> None:
    """Add these commands."""
    cli.command()(models)


def models(
    app: AppName,
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="Every version of this model, such as home_ranker.")
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Serve this version of MODEL: roll back, or forward again."),
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Serve the version of MODEL before the one that is live.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The models of an app that are live: their versions, when they were made, and with which text model.

    With MODEL every version that is kept, which one is live, and, of a learned ranker, what was found of those
    that were trained: why they were published, or why not. The next training publishes a newer one.

    Example: `homefeed models streaming`

    Example: `homefeed models streaming home_ranker`

    Example: `homefeed models streaming item_item --rollback`

    Example: `homefeed models streaming item_item --use 20260105T031500000000-0123abcd`
    """
    from homefeed.serving.models import kinds_of
    from homefeed.store.artifacts import ArtifactStore

    recipe = recipe_of(app)
    artifacts = ArtifactStore(settings_in_force().models_folder)
    artifacts.require_folders(recipe.app)
    if use is not None and rollback:
        raise InvalidError("--use names a version and --rollback the one before: choose one of them")
    if model is None:
        if use is not None or rollback:
            option = "--rollback" if rollback else "--use VERSION"
            named = option.partition(" ")[0]
            raise InvalidError(f"{named} is of one model: homefeed models APP MODEL {option}")
        _print_live(recipe, artifacts, as_json)
        return
    known = model_names(recipe)
    if model not in known:
        raise NotFoundError(f'no model "{model}" in {recipe.app}; the models are: {", ".join(known)}')
    if rollback:
        use = _before(artifacts, recipe.app, model)
    if use is not None:
        part, kind = kinds_of(recipe)[model]
        artifacts.check(recipe.app, model, use, kind, part)
        artifacts.choose(recipe.app, model, use)
    _print_versions(recipe, artifacts, model, as_json)


def _before(artifacts: ArtifactStore, app: str, model: str) -> str:
    """The newest version that is kept from before the one that is live.

    Raises:
        NotFoundError: there is none.
    """
    live, versions = artifacts.current(app, model), artifacts.versions(app, model)
    for version in versions:
        if live is not None and version < live:
            return version
    kept = ", ".join(versions) or "none"
    raise NotFoundError(
        f"{app}/{model}: no version before {live or 'one that is live'} is kept; there are: {kept}"
    )


def _print_live(recipe: Recipe, artifacts: ArtifactStore, as_json: bool) -> None:
    from homefeed.store.verdicts import verdicts_of

    rankers = [spec.name for spec in recipe.rankers.values()]
    live = [
        manifest for name in model_names(recipe) if (manifest := artifacts.manifest(recipe.app, name)) is not None
    ]
    latest = {name: found[0] for name in rankers if (found := verdicts_of(artifacts.root, recipe.app, name))}
    if as_json:
        print_json({"app": recipe.app, "models": [_row(manifest) for manifest in live], "rankers": latest})
        return
    if not live and not latest:
        out.print(f"no model of {recipe.app} is trained yet: homefeed train {recipe.app}", highlight=False)
        return
    words = {name: "not taken" if name in latest else "not judged" for name in rankers}
    words |= {manifest.model: "taken" for manifest in live if "verdict" in manifest.facts}
    judged = {manifest.model: manifest.facts["validation"] for manifest in live if "validation" in manifest.facts}
    words |= {model: f"AUC {told['roc_auc']:.3f}" for model, told in judged.items()}
    out.print(_live_table(recipe.app, [_row(manifest) for manifest in live], words))
    for name, verdict in latest.items():
        out.print(f"{name}, {verdict['judged_at']}: {verdict['why']}", highlight=False, markup=False)


def _row(manifest: Manifest) -> dict[str, str | None]:
    from homefeed.retrieve.content.embedding import NO_TEXT_MODEL

    return {
        "model": manifest.model,
        "part": manifest.part,
        "version": manifest.version,
        "created_at": manifest.created_at,
        "text_model": named if (named := manifest.config.get("text_model")) != NO_TEXT_MODEL else None,
    }


def _live_table(app: str, rows: Sequence[Mapping[str, str | None]], words: Mapping[str, str]) -> Table:
    """What serves, and the learned rankers of which nothing does; `words` are the verdicts of those."""
    from rich.table import Table

    table = Table("model", title=f"Live models of {app}")
    table.add_column("version", no_wrap=True, overflow="fold")  # whole, for --use
    table.add_column("created")
    table.add_column("text model or verdict" if words else "text model", max_width=10, overflow="fold")
    for row in rows:
        noted = words.get(row["model"] or "", row["text_model"])
        table.add_row(row["model"], row["version"], (row["created_at"] or "")[:16].replace("T", " "), noted)
    for name in sorted(words.keys() - {row["model"] for row in rows}):
        table.add_row(name, "none", "", words[name])
    return table


def _print_versions(recipe: Recipe, artifacts: ArtifactStore, model: str, as_json: bool) -> None:
    from homefeed.store.verdicts import verdicts_of

    live = artifacts.current(recipe.app, model)
    versions = artifacts.versions(recipe.app, model)
    verdicts = verdicts_of(artifacts.root, recipe.app, model)
    if as_json:
        told = {"app": recipe.app, "model": model, "live": live, "versions": versions, "verdicts": verdicts}
        print_json(told)
        return
    for version in versions or ["no version yet"]:
        out.print(f"{version}{' (live)' if version == live else ''}", highlight=False, markup=False)
    for verdict in verdicts:
        out.print(f"{verdict['judged_at']}: {verdict['why']}", highlight=False, markup=False)
