"""The report: whole in one file, the same text every time, and true to what was found."""

from __future__ import annotations

import html
import re
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from homefeed.errors import HomefeedError
from homefeed.evaluate import plots
from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.evaluation import Evaluation, Failure
from homefeed.evaluate.judging import TESTED
from homefeed.evaluate.leaks import Leak
from homefeed.evaluate.offline import evaluate_app
from homefeed.evaluate.protocol import Protocol, format_protocol
from homefeed.evaluate.report import render_report
from homefeed.evaluate.systems import System
from homefeed.recipe import parse_recipe
from homefeed.testing import toy_world
from homefeed.testing.world import NOW, RECIPE

VOID = {"meta", "br", "link", "img"}


@cache
def evaluation() -> Evaluation:
    world = toy_world()
    home = {**RECIPE["feeds"]["home"], "rerank": {"caps": {"field": "content_type", "max_items": 1, "window": 3}}}
    feeds = {**RECIPE["feeds"], "varied": home}
    recipe = parse_recipe({**RECIPE, "feeds": feeds}, "a test")
    protocol = Protocol("time", cutoff_share=0.5, revealed_share=0.5)
    return evaluate_app(recipe, world.catalog, world.data, feeds=["home", "varied"], protocol=protocol)


def rendered(found: Evaluation | None = None, command: str = "homefeed evaluate toy") -> str:
    return render_report(found or evaluation(), command=command, made=NOW, version="1.2.3")


@cache
def page_of_toy() -> str:
    return rendered()


def words(page: str) -> str:
    """What people read of it, without the plots."""
    page = re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class Reader(HTMLParser):
    """Collects tags and ids, and sees to it that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_a_page_that_needs_nothing_else() -> None:
    page = page_of_toy()
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert len(reader.ids) == len(set(reader.ids)), "plots do not share ids"
    outside = [value for name, value in reader.attributes if name in ("src", "href") and value and value[0] != "#"]
    assert outside == []
    referred = re.findall(r'(?:url\(#|href="#)([^)"]+)', page)
    assert referred
    assert set(referred) <= set(reader.ids)
    assert "default-src 'none'" in page


def test_the_same_evaluation_is_the_same_text() -> None:
    assert rendered() == page_of_toy()
    other = render_report(evaluation(), command="homefeed evaluate toy", made=NOW + 1_000_000, version="1.2.3")
    assert other.replace("2026-01-15T12:00:01Z", "2026-01-15T12:00:00Z") == rendered(), (
        "the time stands there once"
    )


def test_it_says_what_was_found() -> None:
    text, found = words(page_of_toy()), evaluation()
    assert "toy: home, varied against popular" in text
    assert "Made 2026-01-15T12:00:00Z by Homefeed 1.2.3." in text
    for system in found.systems:
        mean = found.comparison.systems[system.name]["ndcg@10"]
        assert f"{system.name} " in text
        assert f"{mean.mean:.4f} [{mean.low:.4f}, {mean.high:.4f}]" in text
    for reason, count in found.used.left_out.items():
        assert f"{count} with {reason}" in text
    for metric in (*found.comparison.metrics, *found.comparison.figures):
        assert metric in text
    for p in found.comparison.tests["home"].values():
        assert f"p = {p.p_holm:.3f}" in text
    assert "every system gave the same lists" in text
    assert "Leak" not in text


def test_each_feed_has_its_verdict() -> None:
    text, found = words(page_of_toy()), evaluation()
    for feed in ("home", "varied"):
        base, mean = (found.comparison.systems[name]["ndcg@10"].mean for name in ("popular", feed))
        assert re.search(rf"{feed} \w[\w ]+ popular at ndcg@10: {mean:.4f} against {base:.4f}", text)
        users = found.found.differences[feed]
        counts = [sum(d > 0 for d in users), sum(d < 0 for d in users), sum(d == 0 for d in users)]
        assert "It serves {} users better, {} worse, and {} equally.".format(*counts) in text


@cache
def rolling_evaluation() -> Evaluation:
    world = toy_world()
    recipe = parse_recipe(RECIPE, "a test")
    return evaluate_app(recipe, world.catalog, world.data, protocol=Protocol(cutoff_share=0.5))


def test_whether_a_feed_is_worth_its_parts_comes_first() -> None:
    found = rolling_evaluation()
    page = rendered(found)
    text, [verdict] = words(page), found.found.verdicts
    first = verdict.sentence("toy").replace('"', "&#34;")
    assert first in text
    assert text.index(first) < text.index("home is ") + 1 < text.index(" at ndcg@10: 0.") < text.index("Data and")
    behind = replace(verdict, leads={"popular, 7 days": Interval(-0.2, -0.3, -0.1)})
    said = words(rendered(replace(found, found=replace(found.found, verdicts=(behind,)))))
    assert (
        "&#34;popular, 7 days&#34; alone beats home at ndcg@10, beyond doubt: by 0.2000 [0.1000, 0.3000]" in said
    )


def test_where_the_clock_runs_it_speaks_of_requests_and_of_users() -> None:
    found = rolling_evaluation()
    page = rendered(found)
    text, used = words(page), found.used
    assert used.requests > used.test_users
    assert format_protocol(found.protocol) in html.unescape(text)
    assert f"Means over {used.requests} requests of {used.test_users} users" in text
    assert f"trainings {used.trainings} requests {used.requests}" in text
    assert f"test users {used.test_users} target items" in text
    assert "Dots are means over requests" in text
    assert "Requests in groups of about the same size" in text
    assert f"{found.found.histories[0].requests} requests" in page
    assert "Users left out" not in text
    assert "at most 2,000 requests." in text
    assert len(found.found.differences["home"]) == used.test_users
    by_time = words(page_of_toy())
    assert "Dots are means over users" in by_time
    assert "Users in groups of about the same size" in by_time
    assert "Users left out: " in by_time
    assert "trainings 1 requests" in by_time


def test_users_who_are_served_equally_are_neither_better_nor_worse_off() -> None:
    whole = evaluation()
    differences = dict.fromkeys(whole.found.differences, (0.5, 0.0, -0.25, 0.0, 0.25, 0.0))
    text = words(rendered(replace(whole, found=replace(whole.found, differences=differences))))
    assert "It serves 2 users better, 1 worse, and 3 equally." in text


def test_every_plot_is_there_and_takes_the_pages_colours() -> None:
    page = page_of_toy()
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == len(TESTED) + 2 + 2 + 2, "intervals, breadth and depth, one a feed, two by history"
    for drawing in drawings:
        ET.fromstring(drawing)
        assert "var(--" in drawing
        assert not re.search(r"#(aa|bb)00", drawing)
        assert "font-family" not in drawing
    for name in set(re.findall(r"var\((--[a-z0-9-]+)\)", page)):
        assert page.count(f"  {name}:") == 2, f"{name} is set for light and for dark"
    assert page.count("varied") > 5


@pytest.mark.parametrize(("length", "cut"), [(23, False), (24, False), (25, True)])
def test_a_name_that_is_too_long_for_a_plot_is_cut(length: int, cut: bool) -> None:
    shown = plots._short("n" * length)
    assert shown.endswith("…") is cut
    assert len(shown) == min(length, 24)


def test_leaks_and_failures_are_at_the_top() -> None:
    found = replace(
        evaluation(),
        leaks=(Leak("oracle", 0.9, "It reads <b>all</b>."),),
        failures=(Failure("home.content", 12, "ValueError: <no> luck"),),
        replayed=0,
    )
    page = rendered(found)
    assert page.index("Leak: oracle") < page.index("Data and protocol")
    assert "It reads &lt;b&gt;all&lt;/b&gt;." in page
    assert "ValueError: &lt;no&gt; luck" in page
    assert "was not checked" in words(page)
    assert "In 12 requests" in words(page)


def test_the_command_is_shown_as_it_is() -> None:
    assert "<pre>homefeed evaluate &#39;a &amp; b.toml&#39;</pre>" in rendered(
        command="homefeed evaluate 'a & b.toml'"
    )


def test_repeats_are_reported_as_ranked() -> None:
    found = evaluation()
    assert "for every system, except items in the user's history" in words(page_of_toy())
    assert f"target items {found.used.targets} none in the history" in words(page_of_toy())
    used = replace(found.used, targets=1_234, repeated_targets=567)
    protocol = Protocol("basket", repeats=True)
    text = words(rendered(replace(found, protocol=protocol, used=used)))
    assert format_protocol(protocol) in text
    assert "except items in the user's history" not in text
    assert "target items 1,234 567 in the history" in text


def test_a_system_looks_the_same_in_every_plot_and_different_from_others() -> None:
    systems = [System("popular", "baseline", "popular"), System("popular, 7 days", "week", "popular")]
    systems += [System("home", "feed", "home")]
    systems += [System(f"r{n}", "retriever", "home", f"r{n}") for n in range(plots.SERIES)]
    looks = plots.looks_of(systems)
    assert len({look.colour for look in looks.values()}) == len(systems)
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(systems)
    assert len({looks[name].dashes for name in ("popular", "popular, 7 days", "home")}) == 3
    many = plots.looks_of([*systems, *(System(f"s{n}", "retriever", "home") for n in range(30))])
    assert len(many) == len(systems) + 30


def test_a_long_name_does_not_push_the_plot_away() -> None:
    found = evaluation()
    long = "a" * 60
    rows = {**found.comparison.systems, long: found.comparison.systems["home"]}
    inside = replace(found.found, comparison=replace(found.comparison, systems=rows))
    systems = (*found.systems, System(long, "retriever", "home"))
    drawn = plots.interval_plot(replace(found, systems=systems, found=inside), "ndcg@10")
    assert long not in drawn
    assert "a" * 23 + "…" in drawn


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = evaluation()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(HomefeedError, match=r"a report needs matplotlib .*: pip install 'homefeed\[report\]'"):
        rendered(found)
