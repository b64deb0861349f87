"""Ids are found by values where names do not tell, and what is not used says why."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.propose.proposing import proposed, taken

from homefeed.errors import DataError

START = 1_767_600_000


def things(key: str) -> str:
    return f"{key};Bezeichnung;Preis\n" + "".join(f"{5000 + n};Sch\u00f6ne Lampe {n};{n},99\n" for n in range(30))


def people(key: str) -> str:
    return f"{key};Ort\n" + "".join(f"{700 + n};{('Ulm', 'Bonn')[n % 2]}\n" for n in range(25))


def happened(user: str, item: str) -> str:
    return f"{user};{item};Vorgang;Menge;Umsatz;Datum\n" + "".join(
        f"{700 + n % 25};{5000 + n % 30};{('Ansicht', 'Kauf')[n % 7 == 0]};{n % 3 + 1};{n}.5;{START + n * 977}\n"
        for n in range(300)
    )


@pytest.mark.parametrize(("user", "item"), [("Kundennummer", "Artikelnummer"), ("wer", "was"), ("xa", "xb")])
def test_ids_in_columns_of_any_name(tmp_path: Path, user: str, item: str) -> None:
    made = proposed(tmp_path, a__csv=things(item), b__csv=people(user), c__csv=happened(user, item))
    assert {file.name: file.kind for file in made.files} == {"a.csv": "items", "b.csv": "users", "c.csv": "events"}
    assert taken(made, "c.csv") == {
        user: "user_id", item: "item_id", "Vorgang": "event_type", "Menge": "value", "Umsatz": "not used",
        "Datum": "timestamp",
    }  # fmt: skip
    assert set(tomllib.loads(made.text)["events"]) == {"ansicht", "kauf"}


def test_quantities_are_no_ids(tmp_path: Path) -> None:
    items = "id,name\n" + "".join(f"{n},Nice thing {n}\n" for n in range(1, 100))
    lines = "who,amount,when\n" + "".join(f"k{n % 7},{n % 9 + 1},2026-01-{n % 28 + 1:02}\n" for n in range(90))
    made = proposed(tmp_path, items__csv=items, lines__csv=lines)
    assert {file.name: file.kind for file in made.files} == {"items.csv": "items", "lines.csv": "nothing"}


def test_a_file_that_is_not_used_says_why(tmp_path: Path) -> None:
    events = "xa,xb,at\n" + "".join(f"k{n % 9},{5000 + n % 30},{START + n}\n" for n in range(90))
    made = proposed(tmp_path, things__csv=things("xb"), c__csv=events)
    why = "no column is recognised as who (ids of users): call it user_id"
    assert next(file.why for file in made.files if file.kind == "nothing") == why
    assert made.suspects == (f"c.csv: {why}",)
    with pytest.raises(DataError, match="as who"):
        proposed(tmp_path, {"c.csv": "events"})


def test_events_without_times_are_told_of_the_nearest_column(tmp_path: Path) -> None:
    log = "user_id,item_id,amount,when\n" + "".join(f"u{n % 3},i{n % 4},{n},in week {n}\n" for n in range(12))
    with pytest.raises(DataError, match=r'the nearest is when, with "in week 0": write its cells as 2026'):
        proposed(tmp_path, log__csv=log)


def test_times_of_items_and_users_in_columns_of_any_name(tmp_path: Path) -> None:
    def times(count: int) -> list[int]:
        return [(START + 86_417 * n) * 1_000 for n in range(count)]

    items = "item_id,name,online_since\n" + "".join(f"i{n},A thing {n},{at}\n" for n, at in enumerate(times(30)))
    users = "user_id,joined\n" + "".join(f"u{n},{at}\n" for n, at in enumerate(times(20)))
    log = "user_id,item_id,opened\n" + "".join(f"u{n % 20},i{n % 30},{at}\n" for n, at in enumerate(times(90)))
    made = proposed(tmp_path, items__csv=items, users__csv=users, log__csv=log)
    assert taken(made, "items.csv")["online_since"] == "created_at"
    assert taken(made, "users.csv")["joined"] == "time"
    assert taken(made, "log.csv")["opened"] == "timestamp"
    columns = {kind: source["columns"] for kind, source in tomllib.loads(made.text)["sources"].items()}
    assert columns["events"]["timestamp"] == {"column": "opened", "unit": "ms"}
    assert columns["items"]["created_at"] == {"column": "online_since", "unit": "ms"}
    assert columns["users"] == {"joined": {"column": "joined", "unit": "ms"}}
