"""Files of products in the store: joined, counted by reason, whatever is in them."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from homefeed.apps import built_in, find_preparation, find_recipe
from homefeed.apps.shop.prepare import prepare_items
from homefeed.cli.main import cli
from homefeed.errors import DataError
from homefeed.ingest import FileReport, Files, find_files, import_files, table
from homefeed.ingest.tallies import Tallies, total
from homefeed.store import Store
from homefeed.store.items import list_items

RECIPE = find_recipe("shop")
NOW = 1_767_225_600_000_000
NUMBERS = count()
SHAPE = "name,main_category,sub_category,image,link,ratings,no_of_ratings,discount_price,actual_price"
CONTRACT = f"id,{SHAPE},discount_ratio\n"
NO_ID = "item_id does not match [A-Z0-9]{10}, the recipe's items.id_pattern"
PUBLIC = f",{SHAPE},Unnamed: 0\n"


def counts(tallies: Tallies) -> dict[str, int]:
    return {reason: tally.count for reason, tally in tallies.items()}


async def load(store: Store, path: Path, app: str = "shop") -> FileReport:
    report = await import_files(
        store, replace(RECIPE, app=app), Files(items=path), now=NOW, prepare_items=prepare_items
    )
    items = report.files[0]
    assert items.rows == items.loaded + total(items.rejected) + total(items.duplicates)
    return items


async def products(store: Store, app: str = "shop") -> dict[str, Mapping[str, Any]]:
    return {item.item_id: item.attributes for item in await list_items(store, app, 0, 10_000)}


@pytest.mark.parametrize(
    "given", ["ABCD1234X", "ABCD1234XYZ", "abcd1234xy", " ABCD1234XY", "\u00c4BCD1234XY", "-"]
)
async def test_ids_that_no_page_could_be_asked_for_are_refused(store: Store, tmp_path: Path, given: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(f"id,name,actual_price\nABCD1234XY,Kettle,5\n{given},Pot,6\n")
    items = await load(store, path)
    assert (list(await products(store)), counts(items.rejected)) == (["ABCD1234XY"], {NO_ID: 1})


async def test_a_shop_with_columns_and_ids_of_its_own(store: Store, tmp_path: Path) -> None:
    """What its recipe maps is read as what it is mapped to: prices with their signs, ids of its own pattern."""
    columns = {
        "item_id": "artikel",
        "name": "titel",
        "price": "preis",
        "original_price": "uvp",
        "sub_category": "art",
    }
    items = RECIPE.sources.items.model_copy(update={"columns": columns, "delimiter": ";"})
    recipe = replace(
        RECIPE,
        items=RECIPE.items.model_copy(update={"id_pattern": "[0-9]{7}"}),
        sources=RECIPE.sources.model_copy(update={"items": items}),
    )
    path = tmp_path / "products.csv"
    path.write_text(
        "artikel;titel;preis;uvp;art;price;farbe\n"
        "1234567;Kessel;19,99 \u20ac;39,98 \u20ac;K\u00fcche;7;rot\n"
        "7654321;Topf;\u20ac 5,00;;K\u00fcche;8;\n"
        "x;Pfanne;1;;;;\n"
        "1111111;Deckel;billig;;;;\n"
        "artikel;titel;preis;uvp;art;price;farbe\n"
    )
    report = await import_files(store, recipe, Files(items=path), now=NOW, prepare_items=prepare_items)
    (file,) = report.files
    assert counts(file.rejected) == {
        "artikel does not match [0-9]{7}, the recipe's items.id_pattern": 1,
        "repeated header": 1,
    }
    assert counts(file.warnings) == {"no price": 1, "preis is not a price": 1, "empty art": 1}
    assert file.ignored_columns == ("price",)
    found = await products(store)
    assert found["1234567"] == {
        "name": "Kessel",
        "price": 19.99,
        "original_price": 39.98,
        "discount_ratio": 0.5,
        "sub_category": "K\u00fcche",
        "farbe": "rot",
    }
    assert (found["7654321"]["price"], "price" in found["1111111"]) == (5.0, False)


async def test_the_files_of_the_contract(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text(
        CONTRACT
        + "B08CF3D7QR,Wireless Headphones,Electronics,Audio,URL,LINK,4.5,1500,59.99,99.99,0.4001\n"
        + "B08CF3D7Q,Other,Electronics,Audio,URL,LINK,4.5,1500,59.99,99.99,0.4001\n"
    )
    assert find_files(tmp_path, RECIPE.sources).items == path
    items = await load(store, path)
    assert (items.loaded, items.new, counts(items.rejected)) == (1, 1, {NO_ID: 1})
    assert (counts(items.warnings), items.notes, items.ignored_columns) == ({}, (), ())
    assert await products(store) == {
        "B08CF3D7QR": {
            "name": "Wireless Headphones",
            "main_category": "Electronics",
            "sub_category": "Audio",
            "image": "URL",
            "link": "LINK",
            "rating": 4.5,
            "reviews": 1500,
            "price": 59.99,
            "original_price": 99.99,
            "discount_ratio": 0.4001,
        }
    }


ROWS = (
    '0,"Kettle, 1 l",appliances,Kitchen,k.jpg,https://a.example/x/dp/B000000001/ref=1,4.0,"1,255","₹1,240","₹2,480",\n'
    + PUBLIC
    + "1,Pot,appliances,Kitchen,p.jpg,https://a.example/nothing,Get,FREE Delivery by Amazon,,,3.0\n"
    + '2,Kettle,,All,,https://a.example/y/dp/B000000001/ref=2,4.1,,"₹1,300",,\n'
    + "3,,appliances,Kitchen,n.jpg,https://a.example/z/dp/B000000003,1.0,1,₹1,₹2,\n"
    + "4,pot ,home,KITCHEN,,,2.5,7.0,₹30,₹20,\n"
)


@pytest.mark.parametrize("block", [12 << 20, 120])
async def test_public_files(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Whether all rows come in one batch, or each in one of its own."""
    monkeypatch.setattr(table, "BLOCK", block)
    path = tmp_path / "Products.csv"
    path.write_text(PUBLIC + ROWS)
    items = await load(store, path)
    assert (items.rows, items.loaded, items.new, items.updated) == (6, 2, 2, 0)
    assert counts(items.rejected) == {"repeated header": 1, "missing name": 1}
    assert counts(items.duplicates) == {"repeated id; its rows are joined": 2}
    assert counts(items.warnings) == {
        "ratings is not a number": 1,
        "no_of_ratings is not a whole number": 1,
        "empty no_of_ratings": 1,
        "empty main_category": 1,
        "no price": 1,
        "discount_price above actual_price": 1,
    }
    assert items.ignored_columns == ("Unnamed: 0",)
    found = await products(store)
    kettle = found.pop("B000000001")
    assert kettle == {
        "name": "Kettle",
        "main_category": "appliances",
        "sub_category": "All",
        "image": "k.jpg",
        "link": "https://a.example/y/dp/B000000001/ref=2",
        "rating": 4.1,
        "reviews": 1255,
        "price": 1300,
        "original_price": 1300,
        "discount_ratio": 0,
    }
    (pot,) = found.values()
    assert pot == {
        "name": "pot ",
        "main_category": "home",
        "sub_category": "KITCHEN",
        "image": "p.jpg",
        "link": "https://a.example/nothing",
        "rating": 2.5,
        "reviews": 7,
        "price": 30,
        "original_price": 20,
        "discount_ratio": 0,
    }


async def test_examples_are_the_rows_of_the_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "Products.csv"
    path.write_text(PUBLIC + ROWS)
    items = await load(store, path)
    (header,) = items.rejected["repeated header"].examples
    assert (header.row, header.values["ratings"], header.values["Unnamed: 0"]) == (2, "ratings", "Unnamed: 0")
    (unrated,) = items.warnings["ratings is not a number"].examples
    assert (unrated.row, unrated.values["no_of_ratings"]) == (3, "FREE Delivery by Amazon")
    (first, second) = items.duplicates["repeated id; its rows are joined"].examples
    assert (first.row, first.values["discount_price"], second.row) == (4, "₹1,300", 6)
    assert "price" not in first.values


async def test_json_lines_and_parquet(store: Store, tmp_path: Path) -> None:
    rows = [
        {"id": "A000000001", "name": "Kettle", "ratings": 4.5, "discount_price": 600, "actual_price": 1000.0},
        {"id": "A000000002", "name": "Pot", "no_of_ratings": 12, "actual_price": 1240},
    ]
    (tmp_path / "p.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    pl.DataFrame(rows).write_parquet(tmp_path / "p.parquet")
    await load(store, tmp_path / "p.jsonl", "lines")
    await load(store, tmp_path / "p.parquet", "columns")
    expected = {
        "A000000001": {
            "name": "Kettle",
            "rating": 4.5,
            "price": 600,
            "original_price": 1000,
            "discount_ratio": 0.4,
        },
        "A000000002": {"name": "Pot", "reviews": 12, "price": 1240, "original_price": 1240, "discount_ratio": 0},
    }
    assert await products(store, "lines") == expected
    assert await products(store, "columns") == expected


@pytest.mark.parametrize("ids", [("1234567890.0", "2234567890.0"), ("1234567890", "2234567890.0")], ids=str)
async def test_ids_of_whole_numbers_have_no_fraction(store: Store, tmp_path: Path, ids: tuple[str, str]) -> None:
    path = tmp_path / "products.csv"
    path.write_text("id,name,actual_price\n" + "".join(f"{each},Kettle,5\n" for each in ids))
    items = await load(store, path)
    fractions = sum(each.endswith(".0") for each in ids)
    assert (items.loaded, counts(items.rejected)) == (2, {})
    assert counts(items.warnings)["item_id ends in .0: read as a whole number"] == fractions
    assert list(await products(store)) == ["1234567890", "2234567890"]


async def test_lines_that_say_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{}\n{"Unnamed: 0": 1}\n{}\n')
    with pytest.raises(DataError, match='no column "name"'):
        await load(store, tmp_path / "p.jsonl")
    (tmp_path / "p.jsonl").write_text('{}\n{"name": "Kettle"}\n{}\n')
    items = await load(store, tmp_path / "p.jsonl")
    assert (items.loaded, counts(items.rejected)) == (1, {"missing name": 2})


async def test_a_file_without_names_names_its_own_columns(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,title\nA000000001,Kettle\n")
    with pytest.raises(DataError) as caught:
        await load(store, path)
    assert str(caught.value) == f'{path}: no column "name"; its columns are: id, title'


def test_the_command_brings_it(tmp_path: Path) -> None:
    path = tmp_path / "Products.csv"
    path.write_text(PUBLIC + ROWS)
    before = structlog.get_config()
    foreign: dict[str, str | None] = {
        name: None for name in os.environ if name.startswith("HOMEFEED_") and name != "HOMEFEED_TEXT_MODEL"
    }
    try:
        args = ["import", "shop", "--items", str(path), "--json"]
        result = CliRunner().invoke(cli, args, env=foreign | {"HOMEFEED_HOME": str(tmp_path)})
    finally:
        structlog.configure(**before)
    assert result.exit_code == 0, (result.output, result.exception)
    assert json.loads(result.stdout)["files"]["items"]["loaded"] == 2
    assert {app for app in built_in() if find_preparation(app)} == {"shop"}
    assert find_preparation("films") is None


NAMES = (
    "id", "name", "main_category", "sub_category", "image", "link", "ratings", "no_of_ratings", "discount_price",
    "actual_price", "discount_ratio", "Unnamed: 0",
)  # fmt: skip
ODD = st.sampled_from(
    [
        "",
        " ",
        "A000000001",
        "/dp/B000000001",
        "₹1,240",
        "9,99,999",
        "0",
        "-1",
        "nan",
        "inf",
        "1e308",
        "9" * 320,
        "0.5",
        "Get",
        "\0",
        '"',
        "\n",
        "\u2028",
        "x" * 300,
        *NAMES,
    ]
)
PRICE = st.from_regex(r"\A[₹$€ ]?[0-9]{1,3}([.,' ][0-9]{1,3}){0,3}\Z")
CELL = ODD | PRICE | st.text(max_size=12)
ROWS_OF_ANYTHING = st.lists(st.lists(CELL, min_size=len(NAMES), max_size=len(NAMES)), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS_OF_ANYTHING)
@example(rows=[list(NAMES), [""] * len(NAMES), ["\0"] * len(NAMES)])
async def test_no_row_of_junk_is_lost(store: Store, tmp_path: Path, rows: Sequence[Sequence[str]]) -> None:
    app = f"shop_{next(NUMBERS)}"
    path = tmp_path / "products.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([NAMES, *rows])
    items = await load(store, path, app)
    assert items.rows == len(rows)
    found = await products(store, app)
    assert len(found) == items.loaded
    for product, fields in found.items():
        assert re.fullmatch("[A-Z0-9]{10}", product)
        assert fields["name"].strip()
        assert 0 <= fields.get("rating", 0) <= 5
        assert fields.get("reviews", 0) == int(fields.get("reviews", 0)) >= 0
        assert fields.get("price", 1) > 0
        assert fields.get("original_price", 1) > 0
        assert 0 <= fields.get("discount_ratio", 0) <= 1
        assert ("price" in fields) == ("original_price" in fields)
        assert "price" not in fields or "discount_ratio" in fields
    again = await load(store, path, app)
    assert (again.loaded, again.new, again.rejected) == (items.loaded, 0, items.rejected)
    assert await products(store, app) == found
