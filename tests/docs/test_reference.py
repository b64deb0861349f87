"""What the documents list, the code has: all of it, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo

from homefeed import testing
from homefeed.api.metrics import Metrics
from homefeed.ingest import delimited, interactions, json_lines, load_entities, load_events
from homefeed.settings import Settings
from homefeed.store.tables import impressions

DOCS: Final = Path(__file__).parents[2] / "docs"
SOURCE: Final = Path(__file__).parents[2] / "src" / "homefeed"

Row = tuple[str, ...]


def _tables(document: str, heading: str) -> list[list[Row]]:
    """The tables of a section, without their heads, as rows of cells."""
    text = (DOCS / document).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no section {heading}"
    blocks = re.findall(r"(?:^\|.*\n)+", found[1], re.MULTILINE)
    return [
        [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in block.splitlines()[2:]]
        for block in blocks
    ]


def _named(cell: str) -> str:
    return cell.strip("`")


def _shown(field: FieldInfo) -> str:
    """A default as a document gives it."""
    if field.is_required():
        return "required"
    return f"`{json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False, default=str)}`"


def test_every_setting_is_listed_with_its_variable_and_default() -> None:
    rows = {_named(name): (_named(variable), default) for name, variable, default, _ in _settings()}
    expected = {
        name: (f"HOMEFEED_{name.upper()}", "none" if field.default is None else _shown(field))
        for name, field in Settings.model_fields.items()
    }
    assert rows == expected


def _settings() -> list[Row]:
    return _tables("operations.md", "Settings")[0]


def test_every_metric_is_listed_with_its_labels() -> None:
    rows = {_named(name): (kind, labels) for name, kind, labels, _ in _tables("operations.md", "Metrics")[0]}
    expected = {}
    collectors: list[Any] = list(Metrics().registry._collector_to_names)
    for collector in collectors:
        for family in collector.describe():
            labels = getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())
            name = f"{family.name}_total" if family.type == "counter" else family.name
            expected[name] = (family.type, ", ".join(f"`{label}`" for label in labels))
    assert rows == expected


def test_every_log_message_is_listed_with_its_level() -> None:
    rows = {(_named(message), level) for message, level, _ in _tables("operations.md", "Logs")[0]}
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    logged = re.findall(r"\b_log\.(\w+)\(\s*\"([^\"]+)\"", sources)
    assert rows == {(message, level) for level, message in logged}


def test_every_column_of_the_impressions_is_listed() -> None:
    rows = [_named(name) for names, _ in _tables("operations.md", "Impressions")[0] for name in names.split(", ")]
    assert sorted(rows) == sorted(impressions.columns.keys())


def test_every_contract_suite_is_listed() -> None:
    listed = {_named(suite) for _, _, _, suite in _tables("plugins.md", "The seams")[0]}
    assert listed == {name for name in testing.__all__ if name.endswith("Contract")}


def test_every_reason_of_the_data_report_is_listed() -> None:
    said = " ".join(row[1] for row in _tables("data.md", "What is wrong, and what becomes of it")[0])
    for reason in (
        delimited.RAGGED,
        delimited.BROKEN_QUOTES,
        delimited.NOT_UTF_8,
        json_lines.NOT_JSON,
        json_lines.NOT_AN_OBJECT,
        interactions.UNKNOWN_ITEM,
        interactions.UNKNOWN_USER,
        load_entities.REPEATED,
        load_entities.JOINED,
        load_events.REPEATED_IN_FILE,
        load_events.IN_LOG,
    ):
        assert f"`{reason}`" in said, reason
