"""Which column holds the types of events, and what they weigh."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.propose.proposing import proposed, taken

ITEMS = "item_id,name\n" + "".join(f"i{n},Nice thing {n}\n" for n in range(20))


def log(column: str, *kinds: str) -> str:
    return f"uid,item,when,{column},country,quantity\n" + "".join(
        f"u{n % 5},i{n % 20},2026-01-{n % 28 + 1:02},{kinds[n % len(kinds)]},{'DE' if n % 5 else 'FR'},{n % 3}\n"
        for n in range(210)
    )


def weights(table: dict[str, Any]) -> dict[str, float]:
    return {name: spec.get("weight", 1) for name, spec in table["events"].items()}


@pytest.mark.parametrize("column", ["event", "action", "Vorgang", "was_geschah"])
def test_types_in_german_whatever_their_column_is_called(tmp_path: Path, column: str) -> None:
    made = proposed(tmp_path, items__csv=ITEMS, log__csv=log(column, "Ansicht", "Warenkorb", "Kauf", "Retoure"))
    assert weights(tomllib.loads(made.text)) == {"ansicht": 1, "warenkorb": 3, "kauf": 5, "retoure": -1}
    assert taken(made, "log.csv")[column] == "event_type"
    assert tomllib.loads(made.text)["sources"]["events"]["columns"]["event_type"] == {
        "column": column, "case": "lower",
    }  # fmt: skip


def test_types_in_french_and_spanish(tmp_path: Path) -> None:
    table = tomllib.loads(
        proposed(
            tmp_path, items__csv=ITEMS, log__csv=log("x", "vue", "Achat", "clic", "devolución", "guardar")
        ).text
    )
    assert weights(table) == {"vue": 1, "achat": 5, "clic": 1, "devolucion": -1, "guardar": 4}


def test_words_that_are_not_known_get_a_weight_to_be_edited(tmp_path: Path) -> None:
    made = proposed(tmp_path, items__csv=ITEMS, log__csv=log("x", "blorp", "zing", "\u8cfc\u5165"))
    assert weights(tomllib.loads(made.text)) == {"blorp": 1, "zing": 1, "type_3": 1}
    assert "its weight is a guess. Edit it, and the verb.\n[events.blorp]\nweight = 1\n" in made.text
    assert "a guess, to be edited: blorp, zing, type_3." in made.notes[0]


def test_where_it_happened_is_no_type(tmp_path: Path) -> None:
    lines = "uid,item,when,country\n" + "".join(
        f"u{n % 5},i{n % 20},2026-01-{n % 28 + 1:02},{('DE', 'FR', 'AT')[n % 3]}\n" for n in range(210)
    )
    assert set(tomllib.loads(proposed(tmp_path, items__csv=ITEMS, clicks__csv=lines).text)["events"]) == {"click"}
