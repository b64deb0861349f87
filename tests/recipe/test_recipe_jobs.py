"""An app's jobs: as declared, the usual two where none are, and due at whole multiples of their period in UTC."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import NotFoundError, RecipeError
from homefeed.recipe import JobSpec, Recipe, parse_recipe
from homefeed.types import DAY, SECOND

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND

BARE = """
app = "films"
[items.fields]
title = "text"
[events.like]
[models.item_item]
[models.content]
fields = { title = 1.0 }
[feeds.home]
retrieve.popular = {}
rank.weighted.weights.popular = 1
"""


def recipe(jobs: str = "") -> Recipe:
    return parse_recipe(tomllib.loads(BARE + jobs), "r")


def time_of(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_jobs_are_taken_as_declared() -> None:
    taken = recipe(
        '[jobs.often]\nevery = "15m"\nmodels = ["signals"]\n'
        '[jobs.weekly]\nevery = "7d"\nat = "03:15"\nmodels = ["content", "item_item"]\n'
        '[jobs.rest]\nevery = "36h"\n'
    )
    assert taken.jobs == {
        "often": JobSpec("often", 15 * MINUTE, 0, ("signals",)),
        "weekly": JobSpec("weekly", 7 * DAY, 3 * HOUR + 15 * MINUTE, ("content", "item_item")),
        "rest": JobSpec("rest", 36 * HOUR, 0, ("item_item", "content", "blend", "signals")),
    }


def test_a_job_may_refresh_the_trending_view() -> None:
    often = recipe('[jobs.often]\nevery = "15m"\nmodels = ["trending"]\n[jobs.all]\nevery = "1d"\n')
    assert (often.jobs["often"].models, often.keeps_trending) == (("trending",), True)
    assert "trending" not in often.jobs["all"].models
    assert not recipe().keeps_trending


@given(st.integers(0, 400 * DAY), st.integers(1, 10 * DAY), st.integers(0, DAY))
def test_it_is_due_last_now_or_before_and_a_period_before_it_is_next(now: int, period: int, offset: int) -> None:
    job = JobSpec("one", period, offset, ())
    assert now - period < job.last_time(now) <= now
    assert job.next_time(now) == job.last_time(now) + period


def test_an_app_without_jobs_counts_hourly_and_trains_daily() -> None:
    assert recipe().jobs == {
        "hourly": JobSpec("hourly", HOUR, 0, ("signals",)),
        "daily": JobSpec("daily", DAY, 3 * HOUR + 15 * MINUTE, ("item_item", "content", "blend", "signals")),
    }


def test_a_job_that_is_not_there_is_told_with_those_that_are() -> None:
    assert recipe().job("daily").period == DAY
    with pytest.raises(NotFoundError, match='no job "weekly" in films; the jobs are: hourly, daily'):
        recipe().job("weekly")


@pytest.mark.parametrize(
    ("job", "text"),
    [
        ("", "jobs.one.every: missing; this key is required"),
        ('every = "soon"', 'jobs.one.every: expected a duration such as 90s, 10m or 1.5h, got "soon"'),
        ('every = "59s"', "jobs.one.every: expected a minute to 366 days, got 59s"),
        ('every = "367d"', "jobs.one.every: expected a minute to 366 days, got 367d"),
        ("every = 3600", "jobs.one.every: input should be a valid string, got 3600"),
        (
            'every = "1d"\nat = "24:00"',
            "jobs.one.at: expected a time of day in UTC, in quotes, such",
        ),
        (
            'every = "1d"\nat = "3:15"',
            "jobs.one.at: expected a time of day in UTC, in quotes, such",
        ),
        (
            'every = "1d"\nat = 03:15:00',
            "jobs.one.at: expected a time of day in UTC, in quotes, such",
        ),
        (
            'every = "6h"\nat = "03:15"',
            'jobs.one: at is for jobs of whole days, such as every = "1d"',
        ),
        ('every = "1d"\nmodels = []', "jobs.one.models: tuple should have at least 1 item"),
        (
            'every = "1d"\nmodels = ["trends"]',
            'jobs.one.models names "trends"; the models are: item_item, content, signals',
        ),
        ('every = "1d"\nmodel = "content"', "jobs.one.model: no such key here"),
    ],
)
def test_a_wrong_job_is_refused_by_its_key(job: str, text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe(f"[jobs.one]\n{job}\n")
    assert str(caught.value).removeprefix("r: ").removeprefix("(the whole recipe): ").startswith(text)


@pytest.mark.parametrize(
    ("every", "at", "now", "due"),
    [
        ("1h", "", "2026-01-05T10:20:00", "2026-01-05T11:00:00"),
        ("1h", "", "2026-01-05T23:59:59", "2026-01-06T00:00:00"),
        ("1h", "", "2026-01-05T10:00:00", "2026-01-05T11:00:00"),
        ("1d", "", "2026-01-05T10:20:00", "2026-01-06T00:00:00"),
        ("1d", "03:15", "2026-01-05T03:14:59", "2026-01-05T03:15:00"),
        ("1d", "03:15", "2026-01-05T03:15:00", "2026-01-06T03:15:00"),
        ("7d", "03:15", "2026-01-05T00:00:00", "2026-01-08T03:15:00"),  # 1970 began on a Thursday
    ],
)
def test_jobs_are_due_at_whole_hours_and_days(every: str, at: str, now: str, due: str) -> None:
    job = recipe(f'[jobs.one]\nevery = "{every}"\n' + (f'at = "{at}"\n' if at else "")).job("one")
    assert job.next_time(time_of(now)) == time_of(due)


@given(st.integers(0, 200 * 365 * DAY), st.integers(1, 20 * DAY), st.integers(0, DAY - 1))
def test_the_next_time_is_the_first_that_is_later(now: int, period: int, offset: int) -> None:
    due = JobSpec("one", period, offset, ("signals",)).next_time(now)
    assert now < due <= now + period
    assert (due - offset) % period == 0
