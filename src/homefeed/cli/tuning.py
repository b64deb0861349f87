"""What tuning found, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def format_model(model: str, facts: Mapping[str, Any], kept: bool) -> str:
    """Of a model's values: `facts` are those of its manifest, `kept` whether they are from an earlier tuning."""
    return f"{model}: {_values(facts['changed'], facts, kept)}"


def format_blend(tuning: Mapping[str, Any]) -> Iterator[str]:
    """Of the numbers of each feed's retrievers, and of its weights, as the manifest of the blend has them."""
    for feed, facts in tuning.items():
        for retriever, own in facts.get("settings", {}).items():
            kept = own["served"] != own["changed"]
            yield f"{feed}.{retriever}: {_values(own['served'], own, kept)}"
        if "taken" in facts:
            yield f"{feed}: {_weights(facts)}"


def _values(values: Mapping[str, Any], facts: Mapping[str, Any], kept: bool) -> str:
    means = (
        f"{facts['metric']} {facts['start_mean']:.4f} with the recipe's values, {facts['best_mean']:.4f} at best"
    )
    figures = f"{facts['trials']} trials, {facts['validation_users']} users: {means}"
    if not values:
        return f"the recipe's values stay ({figures}, no more than chance)"
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"{'as tuned before' if kept else 'tuned'} to {told} ({figures})"


def _weights(facts: Mapping[str, Any]) -> str:
    means = f"{facts['metric']} {facts['recipe_mean']:.4f} with the recipe's, {facts['tuned_mean']:.4f} tuned"
    figures = f"{facts['requests']} requests, each half by weights of the other: {means}"
    weights = ", ".join(f"{name} = {weight:g}" for name, weight in facts["weights"].items())
    if facts["taken"]:
        return f"weights tuned to {weights} ({figures})"
    if weights:
        return f"weights as tuned before, {weights} ({figures}, no more than chance)"
    return f"the recipe's weights stay ({figures}, no more than chance)"
