"""Marks of texts: what is the same but for its number."""

from __future__ import annotations

from homefeed.retrieve.similar.texts import duplicate_mark_of, mark_of


def test_the_same_in_other_forms_of_unicode_and_cases_has_one_mark() -> None:
    one, other = [["Caf\u00e9  Noir"]], [["CAFE\u0301 noir"]]
    assert duplicate_mark_of(one) == duplicate_mark_of(other)
    assert mark_of(one) != mark_of(other)
    assert duplicate_mark_of(one) != duplicate_mark_of([["Cafe Noir"]])
