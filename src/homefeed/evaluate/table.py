"""Systems side by side: each metric's mean with its interval, and the difference from a baseline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from rich.table import Table
from rich.text import Text

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval, mean_intervals, paired_differences
from homefeed.evaluate.metrics import PerUser

_Row: TypeAlias = tuple[str, list[tuple[str, bool]]]
"""A label and its cells: text, and whether it is to stand out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an evaluation found.

    `systems` maps a system's name to metric to its mean over users with the interval; `differences` the same of
    every system but the baseline, as the paired difference from the baseline. `overall` holds figures of a whole
    system that have no interval over users, such as coverage. All systems have the same metrics.
    """

    baseline: str
    users: int
    confidence: float
    systems: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Mapping[str, Interval]]
    overall: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics with an interval, in order."""
        return tuple(self.systems[self.baseline])

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures without one that any system has, in order."""
        return tuple(dict.fromkeys(name for figures in self.overall.values() for name in figures))

    def to_json(self) -> str:
        """All of it; an interval is an object of mean, low and high."""
        content: dict[str, Any] = {
            "baseline": self.baseline,
            "users": self.users,
            "confidence": self.confidence,
            "systems": _as_objects(self.systems),
            "differences": _as_objects(self.differences),
            "overall": {system: dict(figures) for system, figures in self.overall.items()},
        }
        return json.dumps(content, allow_nan=False, ensure_ascii=False, indent=2)

    def to_markdown(self) -> str:
        """A table of the means and one of the differences, bold where the interval excludes zero."""
        blocks = [_markdown_table(("system", *self.metrics, *self.figures), self._mean_rows())]
        if self.differences:
            title = f"difference from {self.baseline}"
            blocks.append(_markdown_table((title, *self.metrics), self._difference_rows()))
        return "\n\n".join([*blocks, self._note()]) + "\n"

    def to_rich(self) -> Table:
        """The means and, in a second section, the differences, bold where the interval excludes zero."""
        table = Table(caption=self._note(), caption_justify="left")
        table.add_column("system")
        for name in (*self.metrics, *self.figures):
            table.add_column(name, justify="right")
        for label, cells in self._mean_rows():
            table.add_row(Text(label), *(Text(text) for text, _ in cells))
        table.add_section()
        for label, cells in self._difference_rows():
            styled = (Text(text, style="bold" if stands_out else "") for text, stands_out in cells)
            table.add_row(Text(f"{label} - {self.baseline}"), *styled)
        return table

    def _mean_rows(self) -> Iterator[_Row]:
        for system, row in self.systems.items():
            figures = self.overall.get(system, {})
            means = [(_in_brackets(row[metric], ".4f"), False) for metric in self.metrics]
            yield (
                system,
                means + [(f"{figures[name]:.4f}" if name in figures else "", False) for name in self.figures],
            )

    def _difference_rows(self) -> Iterator[_Row]:
        for system, row in self.differences.items():
            yield system, [(_in_brackets(row[name], "+.4f"), row[name].excludes_zero) for name in self.metrics]

    def _note(self) -> str:
        return (
            f"Means over {self.users:,} users with {self.confidence * 100:g} % percentile bootstrap intervals. "
            "Bold: the interval of the paired difference excludes zero (each by itself)."
        )


def compare(
    per_user: Mapping[str, Mapping[str, PerUser]],
    baseline: str,
    rng: np.random.Generator,
    overall: Mapping[str, Mapping[str, float]] | None = None,
    resamples: int = 1_000,
    confidence: float = 0.95,
) -> Comparison:
    """Compare systems by system name to metric to values (users,), of the same users in the same order.

    Raises:
        InvalidError: the baseline is none of the systems, or the systems' metrics or users differ.
    """
    if baseline not in per_user:
        raise InvalidError(f'baseline: expected one of {", ".join(per_user) or "no systems"}, got "{baseline}"')
    reference = per_user[baseline]
    differences = {
        system: paired_differences(values, reference, rng, resamples, confidence)
        for system, values in per_user.items()
        if system != baseline
    }
    systems = {
        system: mean_intervals({metric: values[metric] for metric in reference}, rng, resamples, confidence)
        for system, values in per_user.items()
    }
    users = len(next(iter(reference.values()), ()))
    return Comparison(baseline, users, confidence, systems, differences, overall or {})


def _as_objects(systems: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        system: {metric: interval._asdict() for metric, interval in row.items()} for system, row in systems.items()
    }


def _in_brackets(interval: Interval, form: str) -> str:
    return f"{interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def _markdown_table(header: tuple[str, ...], rows: Iterator[_Row]) -> str:
    lines = [_markdown_line(header), _markdown_line(("---", *("---:" for _ in header[1:])))]
    for label, cells in rows:
        shown = (f"**{text}**" if stands_out else text for text, stands_out in cells)
        lines.append(_markdown_line((label, *shown)))
    return "\n".join(lines)


def _markdown_line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
