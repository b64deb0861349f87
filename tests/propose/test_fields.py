"""What columns of items are taken for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.propose.proposing import proposed, taken

from homefeed.recipe import parse_recipe


@pytest.mark.parametrize(
    ("column", "yes", "no"), [("Lieferbar", "ja", "nein"), ("in_stock", "true", "false"), ("on_sale", "1", "0")]
)
def test_yes_and_no_are_no_taste(tmp_path: Path, column: str, yes: str, no: str) -> None:
    items = f"id,name,genre,{column}\n" + "".join(
        f"p{n},A nice thing {n},{('pop', 'rock', 'folk')[n % 3]},{no if n % 4 else yes}\n" for n in range(40)
    )
    made = proposed(tmp_path, products__csv=items)
    name = column.lower()
    table = tomllib.loads(made.text)
    assert taken(made, "products.csv")[column] == "category"
    assert table["items"]["fields"][name] == "category"
    del table["items"]["fields"][name]
    table.pop("sources")
    assert name not in str(table), "no model, search or variety goes by it"
    hint = f'filter.having = {{ field = "{name}", values = ["{yes}"] }}'
    assert f"# {hint}\n" in made.text
    written = made.text.replace("[feeds.home]\n", f"[feeds.home]\n{hint}\n")
    assert parse_recipe(tomllib.loads(written), "recipe.toml").app == "mine"
