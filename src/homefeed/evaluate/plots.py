"""The report's plots, as SVG with the colours and fonts of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from homefeed.errors import HomefeedError
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.judging import CURVE
from homefeed.evaluate.systems import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES: Final = 10
"""The number of colours the page has for systems, besides those of the baseline and the first feed."""

_ROLES: Final = {
    "#bb0000": "--ink",
    "#bb0001": "--soft",
    "#bb0002": "--line",
    "#bb0003": "--accent",
    "#bb0004": "--bad",
    "#bb0005": "--card",
    **{f"#aa00{number:02d}": f"--series-{number}" for number in range(SERIES)},
}
"""Placeholder colours for the page's variables, so one plot serves light and dark."""
_INK, _SOFT, _LINE, _ACCENT, _BAD, _CARD = list(_ROLES)[:6]

_MARKERS: Final = "os^DvPX*<>"
_WIDTH: Final = 4.6
"""Inches of 72 units: on a phone a unit is about a pixel, so text is readable."""
_LONGEST_NAME: Final = 24

_STYLE: Final[Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "homefeed",
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _SOFT,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "lines.linewidth": 1.4,
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a system is drawn, the same in every plot."""

    colour: str
    marker: str
    width: float
    dashes: str


def check_matplotlib() -> None:
    """Check before the work whether plots can be drawn.

    Raises:
        HomefeedError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise HomefeedError(
            f"a report needs matplotlib ({error}); install it: pip install 'homefeed[report]'"
        ) from error


def looks_of(systems: Sequence[System]) -> dict[str, Look]:
    """A look for every system: the baseline grey and dashed, the last week dotted, feeds with thick lines."""
    looks: dict[str, Look] = {}
    colours = [colour for colour, name in _ROLES.items() if name.startswith("--series")]
    feeds = [system.name for system in systems if system.role == "feed"]
    others = 0
    for number, system in enumerate(systems):
        if system.role == "baseline":
            colour = _SOFT
        elif system.role == "week":
            colour = _INK
        elif feeds[:1] == [system.name]:
            colour = _ACCENT
        else:
            colour, others = colours[others % len(colours)], others + 1
        whole = system.role in ("baseline", "feed")
        dashes = {"baseline": "--", "week": ":"}.get(system.role, "-")
        looks[system.name] = Look(colour, _MARKERS[number % len(_MARKERS)], 2.4 if whole else 1.2, dashes)
    return looks


def interval_plot(evaluation: Evaluation, metric: str) -> str:
    """Every system's mean and interval, in rows, against the baseline's."""
    comparison, looks = evaluation.comparison, looks_of(evaluation.systems)
    names = list(comparison.systems)
    reference = comparison.systems[comparison.baseline][metric]

    def draw(axes: Axes) -> None:
        axes.axvspan(reference.low, reference.high, color=_SOFT, alpha=0.12, linewidth=0)
        axes.axvline(reference.mean, color=_SOFT, linewidth=1, linestyle="--")
        for row, name in enumerate(names):
            found, look = comparison.systems[name][metric], looks[name]
            axes.plot([found.low, found.high], [row, row], color=look.colour, linewidth=look.width)
            axes.plot(found.mean, row, look.marker, color=look.colour, markersize=5.5, clip_on=False)
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"{metric}, mean and {comparison.confidence:.0%} interval")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")

    return _svg(f"intervals-{metric}", draw, 0.7 + 0.27 * len(names))


def tradeoff_plot(evaluation: Evaluation, metric: str, figure: str) -> str:
    """Accuracy against a figure of the whole system, such as coverage: up and to the right is better."""
    comparison, looks = evaluation.comparison, looks_of(evaluation.systems)

    def draw(axes: Axes) -> None:
        for name, row in comparison.systems.items():
            look, across = looks[name], comparison.overall[name][figure]
            axes.plot([across, across], [row[metric].low, row[metric].high], color=look.colour, alpha=0.4)
            mean, label = row[metric].mean, _short(name)
            axes.plot(across, mean, look.marker, color=look.colour, markersize=7, label=label, clip_on=False)
        axes.set_xlabel(f"{figure}, share of the catalogue shown to any user")
        axes.set_ylabel(metric)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid()
        _legend(axes)

    return _svg("tradeoff", draw, 2.9 + _legend_height(len(looks)))


def recall_plot(evaluation: Evaluation) -> str:
    """Mean recall at every depth."""
    looks = looks_of(evaluation.systems)

    def draw(axes: Axes) -> None:
        for name, curve in evaluation.found.curves.items():
            look = looks[name]
            axes.plot(
                CURVE,
                curve,
                color=look.colour,
                linewidth=look.width,
                linestyle=look.dashes,
                marker=look.marker,
                markersize=3,
                label=_short(name),
            )
        axes.set_xscale("log")
        axes.set_xticks(ticks := [1, 2, 5, 10, 20, 50, 100], [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("k, items looked at")
        axes.set_ylabel("recall@k")
        axes.set_ylim(bottom=0)
        axes.grid()
        _legend(axes)

    return _svg("recall", draw, 2.9 + _legend_height(len(looks)))


def difference_plot(feed: str, differences: Sequence[float], baseline: str, metric: str) -> str:
    """The numbers of users a feed serves better and worse than the baseline, by difference.

    Users with equal values are not drawn: they are often too many to see the others.
    """
    values = np.asarray(differences)
    mean, values = float(values.mean()), values[values != 0]
    reach = max(float(np.abs(values).max(initial=0)), 0.05)
    counts, edges = np.histogram(values, bins=20, range=(-reach, reach))
    middles = (edges[:-1] + edges[1:]) / 2
    colours = [_ACCENT if at > 0 else _BAD for at in middles]

    def draw(axes: Axes) -> None:
        axes.bar(middles, counts, width=0.88 * (edges[1] - edges[0]), color=colours)
        axes.axvline(mean, color=_INK, linewidth=1, linestyle="--")
        axes.set_xlabel(f"{metric} of {_short(feed)} less that of {_short(baseline)}, user by user")
        axes.set_ylabel("users")
        axes.grid(axis="y")

    return _svg(f"differences-{feed}", draw, 2.7)


def history_plot(evaluation: Evaluation, metric: str) -> str:
    """The baseline, the last week's and the feeds, by length of history."""
    looks, groups = looks_of(evaluation.systems), evaluation.found.histories
    shown = [system.name for system in evaluation.systems if system.role in ("baseline", "week", "feed")]
    rolling = evaluation.protocol.split == "rolling"

    def draw(axes: Axes) -> None:
        for number, name in enumerate(shown):
            found = [group.systems[name][metric] for group in groups]
            across = np.arange(len(groups)) + (number - (len(shown) - 1) / 2) * min(0.16, 0.7 / len(shown))
            look = looks[name]
            axes.vlines(across, *_bounds(found), color=look.colour, linewidth=1.6)
            means = [interval.mean for interval in found]
            axes.plot(across, means, look.marker, color=look.colour, markersize=6, label=_short(name))
        sizes = [f"{group.requests:,} requests" if rolling else f"{group.users:,} users" for group in groups]
        labels = [
            f"{_range(group.min_events, group.max_events)}\n{size}"
            for group, size in zip(groups, sizes, strict=True)
        ]
        axes.set_xticks(range(len(groups)), labels)
        axes.set_xlim(-0.5, len(groups) - 0.5)
        axes.set_xlabel("events in the history")
        axes.set_ylabel(metric)
        axes.set_ylim(bottom=0)
        axes.grid(axis="y")
        _legend(axes)

    return _svg(f"history-{metric}", draw, 2.7 + _legend_height(len(shown)))


def _bounds(found: Sequence[Interval]) -> tuple[list[float], list[float]]:
    return [interval.low for interval in found], [interval.high for interval in found]


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,}-{high:,}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _legend(axes: Axes) -> None:
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8.5, handlelength=1.6)


def _legend_height(systems: int) -> float:
    return 0.2 * -(-systems // 2)


def _svg(name: str, draw: Callable[[Axes], None], height: float) -> str:
    """A figure of one plot, as markup for the inside of a page. The same plot is the same text."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(), io.StringIO() as file:
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
        return _for_a_page(file.getvalue(), re.sub(r"[^a-z0-9-]+", "-", name))


def _for_a_page(svg: str, name: str) -> str:
    """Without the parts only a file needs; with ids unique in the page; colours and font by the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(
        r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', r'<svg \1 aria-hidden="true">', svg, count=1, flags=re.DOTALL
    )
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    return re.sub("|".join(_ROLES), lambda found: f"var({_ROLES[found[0]]})", svg).strip()
