"""Files of any dirtiness: never a crash, never a row that is not accounted for."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import orjson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from homefeed.errors import DataError
from homefeed.ingest import DataReport, Files
from homefeed.ingest.tallies import total
from homefeed.store.events import totals

if TYPE_CHECKING:
    from tests.ingest.conftest import World

NUMBERS = count()
ODD = st.sampled_from(
    [
        "",
        " ",
        "u1",
        "i1",
        "play",
        "\0",
        '"',
        "é",
        "\ufeff",
        "-5",
        "1e99",
        "nan",
        "999999999999",
        "NULL",
        "[]",
        "x" * 300,
    ]
)
USER = st.sampled_from(["u1", "u2", "u1", "u2", "u3"]) | ODD
ITEM = st.sampled_from(["i1", "i2", "i1", "i2", "i3"]) | ODD
TIME = st.sampled_from(["2025-01-01", "1735689600", "2025-01-01T01:02:03Z", "2025-99-01"]) | ODD
EVENT = st.tuples(USER, ITEM, st.just("play") | ODD, st.sampled_from(["1", "2.5", "-1"]) | ODD, TIME)
CELLS = st.lists(st.just("play") | ODD, max_size=7)
RAW = st.text(alphabet='u1,"\r \0é', max_size=30)

dirty = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_accounted(report: DataReport) -> None:
    for file in report.files:
        assert file.rows == file.loaded + total(file.rejected) + total(file.duplicates)
        assert file.loaded == file.new + file.updated


async def assert_imported(world: World, report: DataReport, app: str) -> None:
    assert_accounted(report)
    found = await totals(world.store, app, world.now)
    assert (found.users, found.items, found.events) == tuple(file.loaded for file in report.files)


@dirty
@given(
    lines=st.lists(EVENT.map(",".join) | CELLS.map(",".join) | RAW, max_size=30),
    newline=st.sampled_from(["\n", "\r\n"]),
)
async def test_csv(world: World, lines: list[str], newline: str) -> None:
    app = f"app_{next(NUMBERS)}"
    header = "user_id,item_id,event_type,watch_seconds,timestamp"
    world.write(events=newline.join([header, *lines]))
    report = await world.run(world.recipe(app=app))
    await assert_imported(world, report, app)
    again = await world.run(world.recipe(app=app))
    assert again.files[-1].loaded == 0
    assert again.files[-1].rejected == report.files[-1].rejected
    assert again.files[-1].rows == report.files[-1].rows


@dirty
@given(content=st.binary(max_size=300))
async def test_csv_of_any_bytes(world: World, content: bytes) -> None:
    app = f"app_{next(NUMBERS)}"
    world.write(events=b"user_id,item_id,event_type,watch_seconds,timestamp\n" + content)
    await assert_imported(world, await world.run(world.recipe(app=app)), app)


@dirty
@given(lines=st.lists(st.tuples(ITEM, ODD, ODD, ODD, ODD).map(",".join) | RAW, max_size=20))
async def test_csv_of_items(world: World, lines: list[str]) -> None:
    app = f"app_{next(NUMBERS)}"
    world.write(items="\n".join(["item_id,title,genre,year,hidden", *lines]))
    await assert_imported(world, await world.run(world.recipe(app=app)), app)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | ODD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("user_id", "item_id", "event_type", "watch_seconds", "timestamp")


@dirty
@given(
    objects=st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)) | JSON, max_size=20),
    events=st.lists(EVENT, min_size=1, max_size=10),
)
async def test_json_lines(world: World, objects: list[object], events: list[tuple[str, ...]]) -> None:
    app = f"app_{next(NUMBERS)}"
    good = [dict(zip(FIELDS, event, strict=True)) for event in events]
    path = world.folder / "events.jsonl"
    path.write_bytes(
        b"\n".join(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) for value in [*good, *objects])
    )
    files = Files(world.folder / "users.csv", world.folder / "items.csv", path)
    await assert_imported(world, await world.run(world.recipe(app=app), files), app)


@dirty
@given(name=st.sampled_from(["users", "items", "events"]), content=st.binary(max_size=60))
@example(name="items", content=b"\x1c\n")
async def test_a_file_of_any_bytes_loads_or_is_one_sentence(world: World, name: str, content: bytes) -> None:
    app = f"app_{next(NUMBERS)}"
    for suffix in ("csv", "jsonl", "parquet"):
        path = world.folder / f"any.{suffix}"
        path.write_bytes(content)
        said = f"any.{suffix}: "
        try:
            assert_accounted(await world.run(world.recipe(app=app), Files(**{name: path})))
        except DataError as error:
            said = str(error)
        assert f"any.{suffix}: " in said
        assert len(said.splitlines()) == 1
