"""The plots of the report: what is drawn, where, and in whose look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from homefeed.evaluate import plots
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.evaluation import Evaluation, FiguresByUser, Found, UsedData
from homefeed.evaluate.histories import HistoryGroup
from homefeed.evaluate.judging import CURVE
from homefeed.evaluate.protocol import Protocol
from homefeed.evaluate.systems import System
from homefeed.evaluate.table import Comparison

POPULAR = System("popular", "baseline", "popular")
WEEK = System("popular, 7 days", "week", "popular")
HOME = System("home", "feed", "home")
ALS = System("home: als", "retriever", "home", "als")
VARIED = System("varied", "feed", "varied")
BY_TIME = Protocol("time")
BAD, SOFT, INK, ACCENT = "#bb0004", "#bb0001", "#bb0000", "#bb0003"


@dataclass
class Drawn:
    """A plot as it is before it is text."""

    name: str
    axes: Any
    height: float

    def lines(self) -> list[Any]:
        """The points of each line: all across, all up."""
        return [
            (np.asarray(x).tolist(), np.asarray(y).tolist()) for x, y in (li.get_data() for li in self.axes.lines)
        ]


@pytest.fixture(name="drawn")
def _drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Drawn]]:
    found: list[Drawn] = []

    def keep(name: str, draw: Callable[[Axes], None], height: float) -> str:
        axes = Figure(layout="constrained").add_subplot()
        draw(axes)
        found.append(Drawn(name, axes, height))
        return ""

    monkeypatch.setattr(plots, "_svg", keep)
    yield found
    assert len(found) == 1


NOBODY = FiguresByUser((), (), {})


def evaluation(protocol: Protocol = BY_TIME) -> Evaluation:
    row = {
        "popular": {"m": Interval(0.2, 0.1, 0.3)},
        "home": {"m": Interval(0.5, 0.4, 0.6)},
        "home: als": {"m": Interval(0.3, 0.2, 0.4)},
    }
    overall = {name: {"coverage": share} for name, share in (("popular", 0.1), ("home", 0.7), ("home: als", 0.5))}
    comparison = Comparison("popular", 9, 0.9, row, {}, overall)
    curves = {name: tuple(k / 100 * scale for k in CURVE) for name, scale in (("popular", 0.5), ("home", 1.0))}
    groups = (HistoryGroup(1, 1, 4, 7, row), HistoryGroup(2, 1_500, 5, 1_008, row))
    used = UsedData(*(0,) * 13, left_out={})
    systems = (POPULAR, HOME, ALS)
    found = Found(comparison, curves, groups, {}, NOBODY)
    return Evaluation("app", ("home",), protocol, used, systems, (), 0, (), found)


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


def test_looks_tell_baseline_feeds_and_parts_apart() -> None:
    looks = plots.looks_of([POPULAR, WEEK, HOME, ALS, VARIED])
    assert [(look.colour, look.marker, look.width, look.dashes) for look in looks.values()] == [
        (SOFT, "o", 2.4, "--"),
        (INK, "s", 1.2, ":"),
        (ACCENT, "^", 2.4, "-"),
        ("#aa0000", "D", 1.2, "-"),
        ("#aa0001", "v", 2.4, "-"),
    ]
    many = plots.looks_of([POPULAR, *(System(f"r{n}", "retriever", "home") for n in range(11))])
    assert many["r0"].colour == many["r10"].colour != many["r9"].colour == "#aa0009"
    assert many["r9"].marker == "o", "ten systems on, the markers begin again"


def test_intervals_stand_in_rows_the_first_on_top(drawn: list[Drawn]) -> None:
    plots.interval_plot(evaluation(), "m")
    [plot] = drawn
    [band] = plot.axes.patches
    assert band.get_extents().transformed(plot.axes.transData.inverted()).intervalx.tolist() == pytest.approx(
        [0.1, 0.3]
    )
    baseline, *rows = plot.lines()
    assert baseline[0] == [0.2, 0.2]
    assert rows == [
        ([0.1, 0.3], [0, 0]),
        ([0.2], [0]),
        ([0.4, 0.6], [1, 1]),
        ([0.5], [1]),
        ([0.2, 0.4], [2, 2]),
        ([0.3], [2]),
    ]
    assert plot.axes.get_yticks().tolist() == [0, 1, 2]
    assert texts(plot.axes.get_yticklabels()) == ["popular", "home", "home: als"]
    assert plot.axes.get_ylim() == (2.6, -0.6), "as much room above the first row as below the last"
    assert plot.axes.get_xlim()[0] == 0
    assert plot.axes.get_xlabel() == "m, mean and 90% interval"
    assert plot.name == "intervals-m"
    assert plot.height == pytest.approx(0.7 + 3 * 0.27)
    assert [to_hex(line.get_color()) for line in plot.axes.lines[1::2]] == [SOFT, ACCENT, "#aa0000"]


def test_a_tradeoff_has_the_figure_across_and_the_measure_up(drawn: list[Drawn]) -> None:
    plots.tradeoff_plot(evaluation(), "m", "coverage")
    [plot] = drawn
    assert plot.lines() == [
        ([0.1, 0.1], [0.1, 0.3]),
        ([0.1], [0.2]),
        ([0.7, 0.7], [0.4, 0.6]),
        ([0.7], [0.5]),
        ([0.5, 0.5], [0.2, 0.4]),
        ([0.5], [0.3]),
    ]
    assert plot.axes.get_xlim()[0] == plot.axes.get_ylim()[0] == 0
    assert plot.axes.get_ylabel() == "m"
    figure = plot.axes.figure
    assert texts(figure.legends[0].get_texts()) == ["popular", "home", "home: als"]
    assert plot.height == pytest.approx(2.9 + 2 * 0.2), "a legend of two columns has two rows for three"


def test_recall_rises_with_the_depth(drawn: list[Drawn]) -> None:
    plots.recall_plot(evaluation())
    [plot] = drawn
    assert plot.lines() == [
        (list(CURVE), pytest.approx([k / 200 for k in CURVE])),
        (list(CURVE), pytest.approx([k / 100 for k in CURVE])),
    ]
    assert plot.axes.get_xscale() == "log"
    assert plot.axes.get_xticks().tolist() == [1, 2, 5, 10, 20, 50, 100]
    assert texts(plot.axes.get_xticklabels()) == ["1", "2", "5", "10", "20", "50", "100"]
    assert plot.axes.get_xticks(minor=True).tolist() == []
    assert plot.axes.get_ylim()[0] == 0
    assert plot.height == pytest.approx(2.9 + 2 * 0.2)


def test_differences_are_counted_better_and_worse(drawn: list[Drawn]) -> None:
    plots.difference_plot("home", [0.0, 0.2, 0.2, -0.1, 0.0, 0.15], "popular", "m")
    [plot] = drawn
    bars = {round(bar.get_x() + bar.get_width() / 2, 6): bar for bar in plot.axes.patches}
    assert len(bars) == 20, "from -0.2 to 0.2 in steps of 0.02"
    counted = {middle: bar.get_height() for middle, bar in bars.items() if bar.get_height()}
    assert counted == {-0.09: 1, 0.15: 1, 0.19: 2}
    assert {to_hex(bar.get_facecolor()) for middle, bar in bars.items() if middle > 0} == {ACCENT}
    assert {to_hex(bar.get_facecolor()) for middle, bar in bars.items() if middle < 0} == {BAD}
    assert bars[0.15].get_width() == pytest.approx(0.88 * 0.02)
    assert plot.lines()[0][0] == pytest.approx([0.075, 0.075]), "the mean of all users"
    assert plot.axes.get_xlabel() == "m of home less that of popular, user by user"


def test_differences_of_nothing_have_a_scale(drawn: list[Drawn]) -> None:
    plots.difference_plot("home", [0.0, 0.0], "popular", "m")
    [plot] = drawn
    assert [bar.get_height() for bar in plot.axes.patches] == [0] * 20
    assert plot.axes.patches[0].get_x() == pytest.approx(-0.05 + 0.06 * 0.005)


def test_by_history_the_baseline_and_the_feeds_stand_side_by_side(drawn: list[Drawn]) -> None:
    plots.history_plot(evaluation(), "m")
    [plot] = drawn
    assert plot.lines() == [
        (pytest.approx([-0.08, 0.92]), [0.2, 0.2]),
        (pytest.approx([0.08, 1.08]), [0.5, 0.5]),
    ]
    bounds = [segment.tolist() for lines in plot.axes.collections for segment in lines.get_segments()]
    assert bounds == [
        [pytest.approx([x, low]), pytest.approx([x, high])]
        for x, low, high in ((-0.08, 0.1, 0.3), (0.92, 0.1, 0.3), (0.08, 0.4, 0.6), (1.08, 0.4, 0.6))
    ]
    assert texts(plot.axes.get_xticklabels()) == ["1\n4 users", "2-1,500\n5 users"]
    assert plot.axes.get_xlim() == (-0.5, 1.5)
    assert plot.axes.get_ylim()[0] == 0
    assert plot.height == pytest.approx(2.7 + 0.2)


def test_where_the_clock_runs_groups_by_history_are_of_requests(drawn: list[Drawn]) -> None:
    plots.history_plot(evaluation(Protocol("rolling")), "m")
    [plot] = drawn
    assert texts(plot.axes.get_xticklabels()) == ["1\n7 requests", "2-1,500\n1,008 requests"]


def test_by_history_the_last_week_stands_beside_the_baseline(drawn: list[Drawn]) -> None:
    found = evaluation()
    rows = {system.name: {"m": Interval(0.5, 0.4, 0.6)} for system in (POPULAR, WEEK, HOME, ALS)}
    inside = Found(found.comparison, {}, (HistoryGroup(1, 1, 4, 4, rows),), {}, NOBODY)
    systems = (POPULAR, WEEK, HOME, ALS)
    plots.history_plot(Evaluation("app", ("home",), BY_TIME, found.used, systems, (), 0, (), inside), "m")
    [plot] = drawn
    assert [x for [x], _ in plot.lines()] == pytest.approx([-0.16, 0, 0.16])
    assert [to_hex(line.get_color()) for line in plot.axes.lines] == [SOFT, INK, ACCENT]


def test_many_feeds_by_history_leave_room_between_the_groups(drawn: list[Drawn]) -> None:
    found = evaluation()
    feeds = [System(f"f{n}", "feed", f"f{n}") for n in range(6)]
    rows = {system.name: {"m": Interval(0.5, 0.4, 0.6)} for system in (POPULAR, *feeds)}
    groups = (HistoryGroup(1, 1, 4, 4, rows),)
    plots.history_plot(
        Evaluation(
            "app",
            ("f0",),
            found.protocol,
            found.used,
            (POPULAR, *feeds),
            (),
            0,
            (),
            Found(found.comparison, {}, groups, {}, NOBODY),
        ),
        "m",
    )
    [plot] = drawn
    assert [x for [x], _ in plot.lines()] == pytest.approx([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3])


def test_a_plot_is_as_wide_as_a_phone_and_plain() -> None:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], label="up", color="#bb0003")
        axes.set_xlabel("from $5 to $6")
        axes.grid()
        plots._legend(axes)

    drawn = plots._svg("a plot: home", draw, 2.5)
    assert drawn.startswith('<svg viewBox="0 0 331.2 180" aria-hidden="true">'), "4.6 and 2.5 inches of 72"
    assert drawn.endswith("</svg>")
    assert ">from $5 to $6</text>" in drawn, "dollars are no formulas, and text is text"
    assert re.findall(r"font-size: ([\d.]+px)[^>]*>(up|from)", drawn) == [("9px", "from"), ("8.5px", "up")]
    assert set(re.findall(r'id="(a-plot-home-)?', drawn)) == {"a-plot-home-"}
    # A line at the bottom and one at the left: nothing at the top and the right, and no frame.
    assert re.findall(r'id="a-plot-home-(patch_\d)"', drawn) == ["patch_1", "patch_2", "patch_3", "patch_4"]
    assert drawn.count("fill: none; stroke: var(--line); stroke-width: 0.6") == drawn.count("clip-path") - 1
    assert "fill: none; stroke: var(--accent); stroke-width: 1.4" in drawn
    # The grid is behind the lines.
    assert drawn.index("stroke-width: 0.6") < drawn.index("var(--accent)")
