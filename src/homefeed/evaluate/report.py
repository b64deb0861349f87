"""The report: one self-contained HTML file with the comparison as text, tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

from homefeed.evaluate import plots
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.judging import MAIN, PER_USER, TESTED
from homefeed.evaluate.protocol import format_protocol
from homefeed.evaluate.systems import Role
from homefeed.evaluate.table import ALPHA, format_p
from homefeed.pages import page_environment
from homefeed.times import format_time
from homefeed.types import SECOND

_ROLES: Final[Mapping[Role, str]] = {
    "baseline": "the baseline, as served",
    "week": "the last seven days' most frequent",
    "retriever": "one retriever alone",
    "merged": "all retrievers in turn, no ranker",
    "ranked": "as ranked, nothing reranked",
    "feed": "as served",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with a description of what it shows."""

    title: str
    svg: Markup
    reading: str


def render_report(evaluation: Evaluation, *, command: str, made: int, version: str) -> str:
    """The whole report as HTML. The same arguments give the same text.

    The report shows `command`, which makes it again, the time `made` in microseconds since 1970 and Homefeed's
    `version`.

    Raises:
        HomefeedError: matplotlib, which draws the plots, is not installed.
    """
    plots.check_matplotlib()
    environment = page_environment(__package__ or "")
    environment.filters |= {"day": _day, "p": _p}
    comparison = evaluation.comparison
    return environment.get_template("report.html").render(
        evaluation=evaluation,
        used=evaluation.used,
        comparison=comparison,
        metrics=[metric for metric in comparison.metrics if metric in MAIN],
        roles={system.name: _ROLES[system.role] for system in evaluation.systems},
        verdicts=[verdict.sentence(evaluation.app) for verdict in evaluation.found.verdicts],
        served=[check.sentence() for check in evaluation.served],
        against_baseline=_against_baseline(evaluation),
        over=comparison.format_requests(),
        protocol=format_protocol(evaluation.protocol),
        plots=_plots(evaluation),
        alpha=ALPHA,
        command=command,
        made=format_time(made // SECOND * SECOND),
        version=version,
    )


def _against_baseline(evaluation: Evaluation) -> list[str]:
    """A sentence per evaluated feed: whether it is better than the baseline."""
    comparison, metric = evaluation.comparison, PER_USER[0]
    sentences = []
    for feed, users in evaluation.found.differences.items():
        found = comparison.differences[feed][metric]
        p = comparison.tests[feed][metric].p_holm
        where = "does not differ from" if p > ALPHA else "is ahead of" if found.mean > 0 else "is behind"
        mean, base = (comparison.systems[name][metric].mean for name in (feed, comparison.baseline))
        better, worse = (sum(sign * user > 0 for user in users) for sign in (1, -1))
        sentences.append(
            f"{feed} {where} {comparison.baseline} at {metric}: {mean:.4f} against {base:.4f}, a difference of "
            f"{_difference(found)}, {_p(p)} after Holm's correction. It serves {better:,} users better, "
            f"{worse:,} worse, and {len(users) - better - worse:,} equally."
        )
    return sentences


def _plots(evaluation: Evaluation) -> list[Plot]:
    baseline, metric = evaluation.comparison.baseline, PER_USER[0]
    who = "requests" if evaluation.protocol.split == "rolling" else "users"
    intervals = [
        _plot(
            f"{tested}, system by system",
            plots.interval_plot(evaluation, tested),
            f"Dots are means over {who}, lines their intervals; the dashed line and the band are {baseline}.",
        )
        for tested in TESTED
    ]
    differences = [
        _plot(
            f"{feed}, user by user",
            plots.difference_plot(feed, users, baseline, metric),
            f"Right of zero are users that {feed} serves better than {baseline}; the dashed line is the mean. "
            f"Not drawn are users with equal values: {sum(user == 0 for user in users):,} of {len(users):,}.",
        )
        for feed, users in evaluation.found.differences.items()
    ]
    histories = [
        _plot(
            f"{measure} by length of history",
            plots.history_plot(evaluation, measure),
            f"{who.capitalize()} in groups of about the same size, from short histories to long ones.",
        )
        for measure in PER_USER
    ]
    return [
        *intervals,
        _plot(
            "Accuracy against breadth",
            plots.tradeoff_plot(evaluation, metric, MAIN[-1]),
            "Up is more accurate, to the right more of the catalogue is shown. "
            "A system that is best at one may be poor at the other.",
        ),
        _plot(
            "Recall at every depth",
            plots.recall_plot(evaluation),
            "The share of users' next items that is among the first k. A retriever that rises late still "
            "finds items that a ranker can move up.",
        ),
        *differences,
        *histories,
    ]


def _plot(title: str, svg: str, reading: str) -> Plot:
    # The text in a plot is names, which matplotlib has escaped.
    return Plot(title, Markup(svg), reading)  # noqa: S704


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / SECOND, UTC).strftime("%Y-%m-%d")


def _difference(found: Interval) -> str:
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def _p(p: float) -> str:
    text = format_p(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
