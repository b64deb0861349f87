"""A comparison of systems: each measure's mean with its interval, and the difference from a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval, by_user, mean_intervals, paired_differences
from homefeed.evaluate.metrics import PerUser
from homefeed.evaluate.significance import holm, randomization_test
from homefeed.types import Codes

ALPHA: Final = 0.05
"""The p-value above which a difference may be chance."""

_DRAWINGS: Final = 5_000
_NAME_WIDTH: Final = 16
"""Longer names of systems take a second line on the terminal."""

_Row: TypeAlias = tuple[str, list[tuple[str, bool]]]
"""A label and its cells: text, and whether it is emphasised."""


class PValue(NamedTuple):
    """The p-value of a system's difference from the baseline, and the one adjusted for all the others."""

    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of an evaluation.

    `systems` maps a system's name to measure to its mean over users with the interval; `differences` the same of
    every system but the baseline, as the paired difference from the baseline; `tests` those of the differences
    that were tested for chance. `overall` has figures of a whole system that have no interval over users, such
    as coverage. `main` names the measures and figures that a narrow table shows, all of them if it is empty.
    All systems have the same measures. `requests` is how many these users made.
    """

    baseline: str
    users: int
    confidence: float
    systems: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Mapping[str, Interval]]
    overall: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    tests: Mapping[str, Mapping[str, PValue]] = field(default_factory=dict)
    main: tuple[str, ...] = ()
    requests: int = 0

    @property
    def metrics(self) -> tuple[str, ...]:
        """The measures with an interval, in order."""
        return tuple(self.systems[self.baseline])

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures without one that any system has, in order."""
        return tuple(dict.fromkeys(name for figures in self.overall.values() for name in figures))

    @property
    def tested(self) -> tuple[str, ...]:
        """The measures that were tested for chance, in order."""
        return tuple(dict.fromkeys(name for row in self.tests.values() for name in row))

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values; an interval is an object of mean, low and high."""
        return {
            "baseline": self.baseline,
            "users": self.users,
            "requests": self.requests,
            "confidence": self.confidence,
            "systems": _as_objects(self.systems),
            "differences": _as_objects(self.differences),
            "tests": _as_objects(self.tests),
            "overall": {system: dict(figures) for system, figures in self.overall.items()},
        }

    def to_markdown(self) -> str:
        """The main means and their differences, bold where the interval excludes zero; the tests; the rest."""
        metrics, figures = self._shown(self.metrics), self._shown(self.figures)
        blocks = [_markdown_table(("system", *metrics, *figures), self._mean_rows(metrics, figures))]
        if self.differences:
            title = f"difference from {self.baseline}"
            blocks.append(_markdown_table((title, *metrics), self._difference_rows(metrics)))
        blocks.append(self.note())
        if self.tests:
            blocks.append(_markdown_table(("p after Holm's correction", *self.tested), self._test_rows()))
        metrics, figures = self._rest(self.metrics), self._rest(self.figures)
        if metrics or figures:
            blocks.append(_markdown_table(("system", *metrics, *figures), self._plain_rows(metrics, figures)))
        return "\n\n".join(blocks) + "\n"

    def to_rich(self) -> Table:
        """The main means and, in a second section, the differences, bold where the interval excludes zero.

        With three decimals, so two measures and a figure fit 80 columns. Longer names continue on the next line,
        broken between words, and are never cut.
        """
        metrics, figures = self._shown(self.metrics), self._shown(self.figures)
        table = Table(
            caption=self.note(), caption_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
        )
        longest = max(len(word) for name in self.systems for word in name.split(" "))
        table.add_column("system", min_width=longest, max_width=max(longest, _NAME_WIDTH))
        for name in (*metrics, *figures):
            table.add_column(name, justify="right", min_width=len(name))
        for label, cells in self._mean_rows(metrics, figures, decimals=3):
            table.add_row(Text(label), *(Text(text) for text, _ in cells))
        if self.differences:
            table.add_section()
            table.add_row(Text(f"minus {self.baseline}", style="italic"))
        for label, cells in self._difference_rows(metrics, decimals=3):
            styled = (Text(text, style="bold" if emphasised else "") for text, emphasised in cells)
            table.add_row(Text(label), *styled)
        return table

    def note(self) -> str:
        """How to read the table, and which differences are more than chance after Holm's correction."""
        read = (
            f"Means over {self.format_requests()} with {self.confidence * 100:g} % percentile bootstrap "
            "intervals. "
            "Bold: the interval of the paired difference excludes zero (each by itself)."
        )
        if not self.tests:
            return read
        beyond = "; ".join(
            f"at {metric}, {self._format_beyond_chance(metric)}" for metric in self._shown(self.tested)
        )
        return (
            f"{read} Beyond chance (paired randomisation tests, p up to {ALPHA} after Holm's correction for "
            f"{len(self.tests)} {'system' if len(self.tests) == 1 else 'systems'}): {beyond}."
        )

    def format_requests(self) -> str:
        """What the means are over: "2,000 requests of 310 users"."""
        if self.requests in (0, self.users):
            return f"{self.users:,} users"
        return f"{self.requests:,} requests of {self.users:,} users"

    def _format_beyond_chance(self, metric: str) -> str:
        """The systems that differ from the baseline: "ahead (home, content), behind (fresh)"."""
        sides: dict[str, list[str]] = {"ahead": [], "behind": []}
        for system, row in self.tests.items():
            if row[metric].p_holm <= ALPHA:
                sides["ahead" if self.differences[system][metric].mean > 0 else "behind"].append(system)
        return ", ".join(f"{side} ({', '.join(names)})" for side, names in sides.items() if names) or "none"

    def _shown(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if not self.main or name in self.main)

    def _rest(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in self._shown(names))

    def _mean_rows(self, metrics: Sequence[str], figures: Sequence[str], decimals: int = 4) -> Iterator[_Row]:
        for system, row in self.systems.items():
            means = [(_in_brackets(row[metric], f".{decimals}f"), False) for metric in metrics]
            yield system, means + self._figure_cells(system, figures, decimals)

    def _plain_rows(self, metrics: Sequence[str], figures: Sequence[str]) -> Iterator[_Row]:
        for system, row in self.systems.items():
            means = [(f"{row[metric].mean:.4f}", False) for metric in metrics]
            yield system, means + self._figure_cells(system, figures)

    def _figure_cells(self, system: str, figures: Sequence[str], decimals: int = 4) -> list[tuple[str, bool]]:
        known = self.overall.get(system, {})
        return [(f"{known[name]:.{decimals}f}" if name in known else "", False) for name in figures]

    def _difference_rows(self, metrics: Sequence[str], decimals: int = 4) -> Iterator[_Row]:
        form = f"+.{decimals}f"
        for system, row in self.differences.items():
            yield system, [(_in_brackets(row[name], form), row[name].excludes_zero) for name in metrics]

    def _test_rows(self) -> Iterator[_Row]:
        for system, row in self.tests.items():
            yield system, [(format_p(row[name].p_holm), row[name].p_holm <= ALPHA) for name in self.tested]


def compare(
    per_user: Mapping[str, Mapping[str, PerUser]],
    baseline: str,
    rng: np.random.Generator,
    overall: Mapping[str, Mapping[str, float]] | None = None,
    resamples: int = 1_000,
    confidence: float = 0.95,
    tested: Sequence[str] = (),
    main: Sequence[str] = (),
    users: Codes | None = None,
) -> Comparison:
    """Compare systems by system name to measure to values (requests,), of the same requests in the same order.

    `users` (requests,) says whose each is; by default each is of a user of their own.

    All systems are evaluated by the same resamples of users, so one more or less does not change the others'
    figures. The measures `tested` are tested for chance against the baseline, each of them with Holm's correction
    for the number of systems.

    Raises:
        InvalidError: the baseline is none of the systems, or the systems' measures or users differ.
    """
    if baseline not in per_user:
        raise InvalidError(f'baseline: expected one of {", ".join(per_user) or "no systems"}, got "{baseline}"')
    reference = per_user[baseline]
    seed = int(rng.integers(2**63))
    others = {system: values for system, values in per_user.items() if system != baseline}
    differences = {
        system: paired_differences(values, reference, np.random.default_rng(seed), resamples, confidence, users)
        for system, values in others.items()
    }
    systems = {
        system: mean_intervals(
            {metric: values[metric] for metric in reference},
            np.random.default_rng(seed),
            resamples,
            confidence,
            users,
        )
        for system, values in per_user.items()
    }
    requests = len(next(iter(reference.values()), ()))
    count = requests if users is None else len(np.unique(users))
    tests = _tests(others, reference, seed, tested, users)
    return Comparison(
        baseline, count, confidence, systems, differences, overall or {}, tests, tuple(main), requests
    )


def _tests(
    others: Mapping[str, Mapping[str, PerUser]],
    reference: Mapping[str, PerUser],
    seed: int,
    tested: Sequence[str],
    users: Codes | None,
) -> dict[str, dict[str, PValue]]:
    def of_users(values: PerUser) -> PerUser:
        return by_user(values[:, None], users)[0][:, 0]

    tests: dict[str, dict[str, PValue]] = {system: {} for system in others} if tested else {}
    for metric in tested:
        found = {
            system: randomization_test(
                of_users(values[metric]), of_users(reference[metric]), np.random.default_rng(seed), _DRAWINGS
            )
            for system, values in others.items()
        }
        for system, adjusted in holm(found).items():
            tests[system][metric] = PValue(found[system], adjusted)
    return tests


def format_p(p: float) -> str:
    """A p-value as text."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _as_objects(
    systems: Mapping[str, Mapping[str, Interval]] | Mapping[str, Mapping[str, PValue]],
) -> dict[str, dict[str, dict[str, float]]]:
    return {system: {metric: found._asdict() for metric, found in row.items()} for system, row in systems.items()}


def _in_brackets(interval: Interval, form: str) -> str:
    return f"{interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def _markdown_table(header: Sequence[str], rows: Iterator[_Row]) -> str:
    lines = [_markdown_line(header), _markdown_line(("---", *("---:" for _ in header[1:])))]
    for label, cells in rows:
        shown = (f"**{text}**" if emphasised else text for text, emphasised in cells)
        lines.append(_markdown_line((label, *shown)))
    return "\n".join(lines)


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
