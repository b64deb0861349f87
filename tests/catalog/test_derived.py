"""What is made of a catalogue: once, whoever asks."""

from __future__ import annotations

import threading
import time

import pytest

from homefeed.catalog import CatalogView


def catalog() -> CatalogView:
    return CatalogView({"title": "text"}, "title")


def test_it_is_made_once_for_each_key() -> None:
    one, made = catalog(), []

    def make() -> list[str]:
        made.append("one more")
        return list(made)

    first = one.derived(("words", "title", 1.0), make)
    assert one.derived(("words", "title", 1.0), make) is first
    assert one.derived(("words", "title", 2.0), make) == ["one more", "one more"]
    assert one.derived(("words", "title", 1.0), make) == ["one more"]
    assert len(made) == 2


def test_each_catalogue_has_its_own() -> None:
    one, other = catalog(), catalog()
    assert one.derived("key", lambda: "one") == "one"
    assert other.derived("key", lambda: "other") == "other"


def test_nothing_can_be_what_was_made() -> None:
    one = catalog()
    assert one.derived("key", lambda: None) is None
    assert one.derived("key", lambda: 1 / 0) is None, "it is not made again"


def test_what_could_not_be_made_is_made_the_next_time() -> None:
    one = catalog()
    with pytest.raises(ZeroDivisionError):
        one.derived("key", lambda: 1 / 0)
    assert one.derived("key", lambda: 7.0) == 7.0


def test_who_asks_at_once_gets_the_same() -> None:
    one, found = catalog(), []

    def make() -> object:
        time.sleep(0.01)
        return object()

    threads = [threading.Thread(target=lambda: found.append(one.derived("key", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    assert one.derived("key", make) is found[0]
