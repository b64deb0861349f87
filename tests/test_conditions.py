"""Conditions as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.conditions import MAX_VALUES, parse_condition, parse_conditions
from homefeed.errors import InvalidError
from homefeed.types import Condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("genre:Drama", Condition("genre", ":", "Drama")),
        ("genre:Drama|Comedy|Drama", Condition("genre", ":", "Drama", ("Comedy",))),
        ("genre!=War", Condition("genre", "!=", "War")),
        ("genre!=War|Horror", Condition("genre", "!=", "War", ("Horror",))),
        ("year>=2000", Condition("year", ">=", "2000")),
        ("year>2000|2001", Condition("year", ">", "2000|2001")),
        ("created_at<2026-11-01T10:00:00Z", Condition("created_at", "<", "2026-11-01T10:00:00Z")),
        ("title:a:b>=c", Condition("title", ":", "a:b>=c")),
        ("title:a\\|b|c", Condition("title", ":", "a|b", ("c",))),
        ("title:a\nb", Condition("title", ":", "a\nb")),
        ("genre:|a||", Condition("genre", ":", "a")),
        ("genre:", Condition("genre", ":", "")),
        ("genre:|", Condition("genre", ":", "")),
        ("within_km:48.85,2.35,25", Condition("within_km", ":", "48.85,2.35,25")),
    ],
)
def test_a_condition_of_its_text(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["", ":", "genre", "genre=Drama", "Genre:Drama", "!genre:a", "9:a", "genre!a"])
def test_what_is_no_condition_is_told_with_what_is_one(text: str) -> None:
    with pytest.raises(InvalidError, match=r"^filter: expected field:value, field:a\|b, field!=value"):
        parse_condition(text)


def test_values_have_limits() -> None:
    most = "|".join(map(str, range(MAX_VALUES)))
    assert len(parse_condition(f"genre:{most}").others) == MAX_VALUES - 1
    with pytest.raises(InvalidError, match="up to 50 values of genre, got 51"):
        parse_condition(f"genre:{most}|more")
    assert parse_condition("genre:" + "|".join(["x" * 255, "y" * 255])).others == ("y" * 255,)
    for too_long in ("x" * 256, "a|" + "x" * 256):
        with pytest.raises(InvalidError, match="up to 255 characters"):
            parse_condition(f"genre:{too_long}")


def test_all_conditions_of_a_request_name_so_many_values_together() -> None:
    fifty = "genre!=" + "|".join(map(str, range(50)))
    assert len(parse_conditions([fifty, fifty])) == 2
    with pytest.raises(InvalidError, match="up to 100 values in all conditions, got 101"):
        parse_conditions([fifty, fifty, "genre:a"])


@given(
    st.lists(st.text(min_size=1, max_size=8).filter(lambda text: not text.endswith("\\")), min_size=1, unique=True)
)
def test_any_values_can_be_said(values: list[str]) -> None:
    values = values[:MAX_VALUES]
    said = parse_condition("kind:" + "|".join(value.replace("|", "\\|") for value in values))
    plain = [value.replace("\\|", "|") for value in (value.replace("|", "\\|") for value in values)]
    assert [said.value, *said.others] == list(dict.fromkeys(plain))
