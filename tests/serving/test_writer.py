"""The event writer: groups, order, overload, failures, and callers who went away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from homefeed.errors import OverloadedError
from homefeed.serving.writer import EventWriter
from homefeed.store.events import Outcome
from homefeed.types import Event


class Disk:
    """Commits that last until `go` is set. Events of the item "bad" fail the group they are in."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.go = asyncio.Event()
        self.commits_now = 0

    async def commit(self, events: Sequence[Event]) -> list[Outcome]:
        self.commits_now += 1
        assert self.commits_now == 1, "one commit at a time"
        self.groups.append([event.user_id for event in events])
        try:
            await self.go.wait()
            if any(event.item_id == "bad" for event in events):
                raise OSError("disk full")
            if any(event.item_id == "stop" for event in events):
                raise asyncio.CancelledError
            return [Outcome.DUPLICATE if event.item_id == "again" else Outcome.ACCEPTED for event in events]
        finally:
            self.commits_now -= 1


@pytest.fixture
def disk() -> Disk:
    return Disk()


def events(*user_ids: str, item: str = "i") -> list[Event]:
    return [Event(user_id, item, "play", 0) for user_id in user_ids]


async def begun(writer: EventWriter, *batches: Sequence[Event]) -> list[asyncio.Task[list[Outcome]]]:
    """A task for each batch, all of them waiting for their commit."""
    tasks = [asyncio.create_task(writer.write(batch)) for batch in batches]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_arrives_while_a_group_is_written_is_the_next_group(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    tasks = await begun(writer, events("a"))
    tasks += await begun(writer, events("b", "c"), events("d"), events("e", "f", item="again"))
    disk.go.set()
    outcomes = await asyncio.gather(*tasks)
    assert disk.groups == [["a"], ["b", "c", "d", "e", "f"]]
    assert outcomes == [[Outcome.ACCEPTED], [Outcome.ACCEPTED] * 2, [Outcome.ACCEPTED], [Outcome.DUPLICATE] * 2]


async def test_nothing_to_write_is_not_written(disk: Disk) -> None:
    assert await EventWriter(disk.commit).write([]) == []
    assert disk.groups == []


async def test_after_a_pause_writing_goes_on(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    disk.go.set()
    for user_id in "abc":
        assert await writer.write(events(user_id)) == [Outcome.ACCEPTED]
    assert disk.groups == [["a"], ["b"], ["c"]]


async def test_the_order_of_arrival_is_the_order_of_writing_and_groups_are_limited(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    batches = [events(*(f"{n}.{i}" for i in range(7))) for n in range(1_500)]
    disk.go.set()
    outcomes = await asyncio.gather(*(writer.write(batch) for batch in batches))
    assert [user for group in disk.groups for user in group] == [e.user_id for batch in batches for e in batch]
    assert max(len(group) for group in disk.groups) <= 2_000
    assert len(disk.groups) < 10
    assert all(len(outcome) == 7 for outcome in outcomes)


async def test_a_batch_larger_than_a_group_is_written_whole(disk: Disk) -> None:
    disk.go.set()
    many = events(*(str(n) for n in range(5_000)))
    assert len(await EventWriter(disk.commit).write(many)) == 5_000
    assert [len(group) for group in disk.groups] == [5_000]


async def test_too_many_waiting_are_refused_and_room_is_made_by_writing(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    tasks = await begun(writer, events("first"))
    tasks += await begun(writer, *[events(*"0123456789" * 100)] * 50)
    with pytest.raises(OverloadedError, match="try again"):
        await writer.write(events("one more"))
    disk.go.set()
    await asyncio.gather(*tasks)
    assert await writer.write(events("one more")) == [Outcome.ACCEPTED]
    assert sum(map(len, disk.groups)) == 50_002


async def test_a_failing_commit_fails_its_events_and_no_others(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    first = await begun(writer, events("a"))
    bad = await begun(writer, events("b"), events("c", item="bad"))
    disk.go.set()
    assert await first[0] == [Outcome.ACCEPTED]
    for task in bad:
        with pytest.raises(OSError, match="disk full"):
            await task
    assert await writer.write(events("d")) == [Outcome.ACCEPTED]
    assert disk.groups == [["a"], ["b", "c"], ["d"]]


@pytest.mark.parametrize("leaving", [0, 1, 2, 3])
async def test_who_goes_away_costs_nobody_else_their_events(disk: Disk, leaving: int) -> None:
    writer = EventWriter(disk.commit)
    tasks = await begun(writer, events("a"))
    tasks += await begun(writer, events("b", "c"), events("d", "e", item="again"), events("f"))
    gone = tasks.pop(leaving)
    gone.cancel()
    await asyncio.sleep(0)
    disk.go.set()
    outcomes = dict(zip("0123".replace(str(leaving), ""), await asyncio.gather(*tasks), strict=True))
    assert gone.cancelled()
    assert disk.groups == [["a"], ["b", "c", "d", "e", "f"]]
    accepted, again = Outcome.ACCEPTED, Outcome.DUPLICATE
    expected = {"0": [accepted], "1": [accepted] * 2, "2": [again] * 2, "3": [accepted]}
    assert outcomes == {key: value for key, value in expected.items() if key != str(leaving)}


async def test_who_goes_away_before_a_failure_leaves_it_to_the_others(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    gone, other = await begun(writer, events("a", item="bad"), events("b"))
    gone.cancel()
    disk.go.set()
    with pytest.raises(OSError, match="disk full"):
        await other
    assert await writer.write(events("c")) == [Outcome.ACCEPTED]


async def test_nobody_is_left_waiting_when_writing_is_stopped(disk: Disk) -> None:
    writer = EventWriter(disk.commit)
    tasks = await begun(writer, events("a", item="stop"))
    tasks += await begun(writer, events("b"), events("c"))
    disk.go.set()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["shutting down"] * 3
    assert await writer.write(events("d")) == [Outcome.ACCEPTED]
