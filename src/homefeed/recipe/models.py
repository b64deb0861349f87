"""What the models of a recipe learn from: the store, a file of labelled pairs, or the requests of a feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from homefeed.errors import RecipeError
from homefeed.protocols import NamesPairs
from homefeed.recipe.feeds import ranker_name
from homefeed.recipe.parts import learns_from_pairs, part_names, ranks

if TYPE_CHECKING:
    from homefeed.recipe.declaration import Declarations
    from homefeed.recipe.loading import PartSpec


def models_of(
    origin: str, declared: Declarations, specs: tuple[PartSpec, ...]
) -> tuple[tuple[PartSpec, ...], tuple[PartSpec, ...]]:
    """The models that learn from what the store holds, and those that learn from files of labelled pairs.

    Raises:
        RecipeError: one ranks what a feed retrieves, or goes by fields that are not declared, or a job is to train
            what learns from a file.
    """
    of_pairs = tuple(spec for spec in specs if learns_from_pairs(spec.part))
    for spec in specs:
        if ranks(spec.part):
            raise RecipeError(
                f"{origin}: models.{spec.name}: {spec.part} ranks what a feed retrieves; declare it as "
                f"[feeds.NAME.learned.{spec.part}]"
            )
    for spec in of_pairs:
        if isinstance(spec.config, NamesPairs):
            problem = spec.config.misdeclared(declared.items.fields, declared.users.fields)
            if problem is not None:
                raise RecipeError(f"{origin}: models.{spec.name}.{problem}")
        for job, own in declared.jobs.items():
            if spec.name in (own.models or ()):
                raise RecipeError(
                    f"{origin}: jobs.{job}.models: {spec.name} learns from a file, and no job has one; "
                    f"remove it, and run: homefeed train {declared.app} {spec.name} --clicks FILE"
                )
    return tuple(spec for spec in specs if spec not in of_pairs), of_pairs


def rankers_of(origin: str, feed: str, learned: tuple[PartSpec, ...]) -> tuple[PartSpec, ...]:
    """The learned ranker of a feed, named after it.

    Raises:
        RecipeError: it does not rank.
    """
    for spec in learned:
        if not ranks(spec.part):
            known = ", ".join(name for name in part_names("model") if ranks(name))
            raise RecipeError(
                f"{origin}: feeds.{feed}.learned.{spec.name}: {spec.part} does not rank; expected one of {known}"
            )
    return tuple(replace(spec, name=ranker_name(feed)) for spec in learned)
