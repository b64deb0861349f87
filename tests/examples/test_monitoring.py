"""The examples for Prometheus and Grafana name what a running server really has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from homefeed.api.metrics import Metrics

from .promql import FUNCTIONS, is_balanced, named

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
DASHBOARD: Final = json.loads((EXAMPLES / "grafana/homefeed.json").read_text())
ALERTS: Final = yaml.safe_load((EXAMPLES / "prometheus/alerts.yml").read_text())
RULES: Final[list[dict[str, Any]]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
SUFFIXES: Final = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
VARIABLES: Final = {"$__rate_interval": "5m", "$app": ".*", "$feed": ".*"}


def panels() -> Iterator[tuple[str, str]]:
    """Every expression of the dashboard, with the title of its panel, its variables set."""
    asked = [
        (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])
    ]
    asked += [(one["name"], one["expr"]) for one in DASHBOARD["annotations"]["list"]]
    for variable in DASHBOARD["templating"]["list"]:
        if found := re.fullmatch(r"label_values\((.+), (\w+)\)", variable.get("definition", "")):
            asked.append((variable["name"], f"max by ({found[2]}) ({found[1]})"))
    for title, expression in asked:
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)  # noqa: PLW2901
        yield title, expression


EXPRESSIONS: Final = [*panels(), *((rule["alert"], rule["expr"]) for rule in RULES)]


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_expression_can_be_read(where: str, expression: str) -> None:
    functions, metrics, _ = named(expression)
    assert is_balanced(expression), where
    assert functions <= FUNCTIONS, where
    assert metrics, where
    assert all(name.startswith("homefeed_") for name in metrics), (where, metrics)


def test_every_metric_is_one_of_a_running_server(api: httpx.Client) -> None:
    there: set[str] = set()
    for family in text_string_to_metric_families(api.get("/metrics").text):
        there |= {f"{family.name}{suffix}" for suffix in SUFFIXES.get(family.type, ("",))}
    for where, expression in EXPRESSIONS:
        assert named(expression)[1] <= there, where


def test_every_label_is_one_of_its_metrics() -> None:
    labels: dict[str, set[str]] = {}
    collectors: list[Any] = list(Metrics().registry._collector_to_names)
    for collector in collectors:
        for family in collector.describe():
            own = {*(getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())), "le"}
            labels |= {f"{family.name}{suffix}": own for suffix in SUFFIXES.get(family.type, ("",))}
    for where, expression in EXPRESSIONS:
        _, metrics, asked = named(expression)
        assert asked <= set().union(*(labels[name] for name in metrics)), where


def test_every_alert_says_when_how_bad_and_what() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"\d+[smh]", rule["for"]), rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, rule["alert"]
        assert {"summary", "description"} <= rule["annotations"].keys(), rule["alert"]
        _, _, labels = named(rule["expr"])
        asked = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert asked <= labels, rule["alert"]


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [
        (x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie on one another"
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "app", "feed"}


def test_prometheus_loads_the_alerts_and_scrapes_the_server() -> None:
    config = yaml.safe_load((EXAMPLES / "prometheus/prometheus.yml").read_text())
    assert [(EXAMPLES / "prometheus" / name).is_file() for name in config["rule_files"]] == [True]
    (scraped,) = config["scrape_configs"]
    assert scraped["static_configs"] == [{"targets": ["127.0.0.1:8000"]}]
    promtool = shutil.which("promtool")
    if promtool is not None:
        checked = subprocess.run(
            [promtool, "check", "config", "prometheus.yml"],
            check=False,
            cwd=EXAMPLES / "prometheus",
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('sum by (app) (rate(a_total{b="c)"}[5m])) > 0.5', ({"sum", "rate"}, {"a_total"}, {"app", "b"})),
        ("a / on (x) group_left b offset 1d", (set(), {"a", "b"}, {"x"})),
        ("time() - max by (job) (c) > 7 * 86400", ({"time", "max"}, {"c"}, {"job"})),
    ],
)
def test_names_are_found_in_expressions(expression: str, found: tuple[set[str], set[str], set[str]]) -> None:
    assert named(expression) == found
    assert is_balanced(expression)
    assert not is_balanced(expression.replace("(", "[", 1) if "(" in expression else f"{expression})")
