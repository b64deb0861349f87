"""From files to a recipe: what each file and column is taken for, and the feeds that follow."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.propose.proposing import proposed, taken

from homefeed.errors import DataError, InvalidError
from homefeed.propose import propose, read_samples

ARTICLES = "id,headline,section,keywords,published_at,url,lat,lng\n" + "".join(
    f"a{n},The {'vote' if n % 2 else 'match'} of day {n},{'Politics' if n % 2 else 'Sport'},"
    f"{'law;vote' if n % 2 else 'goal;coach'},2026-01-{n:02} 08:00:00,https://news.example/{n},52.{n},13.{n}\n"
    for n in range(1, 21)
)
READERS = "id,email,country,joined\n" + "".join(
    f"r{n},r{n}@example.com,{'DE' if n % 2 else 'FR'},2025-01-{n:02}\n" for n in range(1, 11)
)
CLICKS = "".join(
    f'{{"reader": "r{n % 10 + 1}", "article": "a{n % 20 + 1}", "ts": {1767600000000 + n * 60_000}}}\n'
    for n in range(60)
)


def test_a_news_site(tmp_path: Path) -> None:
    made = proposed(tmp_path, articles__csv=ARTICLES, readers__csv=READERS, clicks__jsonl=CLICKS)
    assert {file.name: file.kind for file in made.files} == {
        "articles.csv": "items", "readers.csv": "users", "clicks.jsonl": "events",
    }  # fmt: skip
    assert taken(made, "articles.csv") == {
        "id": "item_id", "headline": "title (text)", "section": "category", "keywords": "tags",
        "published_at": "created_at", "url": "attribute", "lat": "place (location)", "lng": "place (location)",
    }  # fmt: skip
    assert taken(made, "readers.csv") == {
        "id": "user_id",
        "email": "attribute",
        "country": "category",
        "joined": "time",
    }
    assert taken(made, "clicks.jsonl") == {"reader": "user_id", "article": "item_id", "ts": "timestamp"}
    table = tomllib.loads(made.text)
    assert table["sources"]["events"]["columns"]["timestamp"] == {"column": "ts", "unit": "ms"}
    assert table["sources"]["items"]["columns"]["keywords"] == {"column": "keywords", "separator": ";"}
    assert table["events"] == {"click": {"verb": "opened"}}
    assert made.feeds == ("popular", "home", "similar", "trending", "new", "search", "nearby")
    assert table["parts"]["filter"] == {"seen": {"events": {"click": 1}}}
    assert set(table["feeds"]["home"]["retrieve"]) == {
        "item_item", "content", "nearby", "trending", "fresh", "popular",
    }  # fmt: skip
    assert (made.imports.items, made.imports.events) == (tmp_path / "articles.csv", tmp_path / "clicks.jsonl")


def test_stars_are_likes_and_dislikes(tmp_path: Path) -> None:
    films = "movieId,title\n" + "".join(f"{n},Film number {n}\n" for n in range(1, 31))
    ratings = "userId,movieId,rating,timestamp\n" + "".join(
        f"{n % 7 + 1},{n % 30 + 1},{n % 9 / 2 + 1},{964982703 + n}\n" for n in range(100)
    )
    made = proposed(tmp_path, movies__csv=films, ratings__csv=ratings)
    table = tomllib.loads(made.text)
    assert table["sources"]["events"]["columns"]["event_type"] == {
        "column": "rating", "map": {"<=2": "dislike", "<4": "rate", ">=4": "like"},
    }  # fmt: skip
    assert table["events"]["dislike"]["weight"] == -1
    assert table["events"]["like"] == {"weight": 3, "verb": "liked", "full": 5}
    assert table["sources"]["events"]["unknown_users"] == "create"
    assert "created_at" in made.left_out["new"]


def test_a_file_of_purchases_alone_holds_its_items_and_users(tmp_path: Path) -> None:
    lines = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n" + "".join(
        f"{n // 3},S{n % 9},Red thing {n % 9},{-1 if n == 7 else n % 3 + 1},12/{n % 28 + 1}/2010 8:26,{n % 9}.5,"
        f"C{n % 4},{'UK' if n % 2 else 'France'}\n"
        for n in range(90)
    )
    made = proposed(tmp_path, retail__csv=lines)
    assert [file.kind for file in made.files] == ["events and items and users"]
    table = tomllib.loads(made.text)
    assert table["items"]["fields"] == {"description": "text", "unit_price": "number"}
    assert table["users"]["fields"] == {"country": "category"}
    assert table["sources"]["items"]["join"] is True
    assert table["sources"]["events"]["columns"]["timestamp"]["format"] == "%m/%d/%Y %H:%M"
    assert table["events"]["purchase"]["min_value"] == 1
    assert table["parts"]["filter"]["seen"] is False, "what is bought is bought again here"


def test_types_of_events_get_weights_whatever_their_case(tmp_path: Path) -> None:
    items = "item_id,name\n" + "".join(f"i{n},Nice thing {n}\n" for n in range(20))
    kinds = ["View", "view", "VIEW", "addToCart", "Purchase", "hide", "blorp"]
    log = "uid\titem\tAction\twhen\tdwell_seconds\n" + "".join(
        f"u{n % 5}\ti{n % 20}\t{kinds[n % 7]}\t2026-01-01\t{n if n % 7 < 3 else ''}\n" for n in range(140)
    )
    table = tomllib.loads(proposed(tmp_path, items__csv=items, log__tsv=log).text)
    assert {name: spec.get("weight", 1) for name, spec in table["events"].items()} == {
        "view": 1, "add_to_cart": 3, "purchase": 5, "hide": -1, "blorp": 1,
    }  # fmt: skip
    assert table["sources"]["events"]["columns"]["event_type"] == {
        "column": "Action", "case": "lower",
        "map": {**{kind: kind for kind in ("view", "purchase", "hide", "blorp")}, "addtocart": "add_to_cart"},
    }  # fmt: skip
    assert table["events"]["view"]["full"] == "typical"
    assert "full" not in table["events"]["purchase"]
    assert table["parts"]["filter"]["seen"] == {"events": {"purchase": 1}}, "to look at is not to have"


def test_items_alone_get_types_of_events_to_come(tmp_path: Path) -> None:
    made = proposed(
        tmp_path, products__csv="sku,title,active\n" + "".join(f"p{n},A thing {n},{n % 2}\n" for n in range(9))
    )
    assert made.feeds == ("popular", "home", "similar", "trending", "search")
    assert tomllib.loads(made.text)["sources"]["items"]["columns"] == {
        "item_id": "sku", "hidden": {"column": "active", "map": {"0": "true", "1": "false"}},
    }  # fmt: skip
    assert "HTTP" in made.notes[0]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table found"):
        propose("mine", [])
    log = "user_id,item_id\nu1,i1\nu1,i2\nu2,i1\nu2,i1\n"
    with pytest.raises(DataError, match=r"log\.csv: looks like events, by user_id and item_id, but no column"):
        proposed(tmp_path, log__csv=log)


def test_people_say_what_a_file_is(tmp_path: Path) -> None:
    files = {"articles__csv": ARTICLES, "readers__csv": READERS, "clicks__jsonl": CLICKS}
    made = proposed(
        tmp_path, {"readers.csv": "nothing", "articles.csv": "items", "clicks.jsonl": "events"}, **files
    )
    assert {file.name: file.kind for file in made.files}["readers.csv"] == "nothing"
    assert made.imports.users is None
    with pytest.raises(InvalidError, match='no file "nope"'):
        proposed(tmp_path, {"nope": "items"})


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("Hello.\nThis is prose.\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty.csv").touch()
    samples, others = read_samples(tmp_path)
    assert samples == []
    assert [name for name, _ in others] == ["empty.csv", "logo.png", "readme.txt"]


def test_no_name_of_a_column_ends_a_comment(tmp_path: Path) -> None:
    head = '"id","title","note\n[events.evil]\nweight = 5","Price\n(EUR)","day\x07"\n'
    rows = "".join(f"i{n},Thing {n},{'ab'[n % 2]},{n}.5,2026-01-{n + 1:02}\n" for n in range(20))
    made = proposed(tmp_path, items__csv=head + rows)
    table = tomllib.loads(made.text)
    assert "evil" not in table["events"]
    assert "\x07" not in made.text
    assert table["sources"]["items"]["columns"]["price_eur"] == "Price\n(EUR)"
